import stat

from cnbench.lab.guest.build.cpio import Archive


def entries(data: bytes) -> list[tuple[str, int, bytes]]:
    """Read an archive back, by the layout in the kernel's buffer-format.rst."""
    found, at = [], 0
    while True:
        assert data[at : at + 6] == b"070701"
        assert at % 4 == 0
        fields = [int(data[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = data[at + 110 : at + 110 + name_size - 1].decode()
        start = (at + 110 + name_size + 3) & ~3
        found.append((name, mode, data[start : start + size]))
        at = (start + size + 3) & ~3
        if name == "TRAILER!!!":
            return found


def archive() -> bytes:
    made = Archive()
    made.folder("bin")
    made.file("bin/tool", b"#!/bin/sh\n", mode=0o755)
    made.character_device("console", 5, 1)
    return made.finished()


def test_an_archive_reads_back() -> None:
    assert entries(archive()) == [
        ("bin", stat.S_IFDIR | 0o755, b""),
        ("bin/tool", stat.S_IFREG | 0o755, b"#!/bin/sh\n"),
        ("console", stat.S_IFCHR | 0o600, b""),
        ("TRAILER!!!", 0, b""),
    ]


def test_the_same_entries_give_the_same_bytes() -> None:
    assert archive() == archive()
