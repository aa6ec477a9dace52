import struct
from pathlib import Path

import pytest

from cnbench.lab.guest.build import bzimage
from cnbench.lab.guest.build.toolbox import Toolbox
from cnbench.lab.guest.errors import GuestError


class Unpacker(Toolbox):
    """Stands in for the userland's programs: says which was asked to unpack what."""

    def run(
        self,
        program: str,
        *arguments: str,
        name: str = "",
        input: bytes | None = None,
        timeout: float = 600,
    ) -> bytes:
        return f"{program} ".encode() + (input or b"")


def kernel_file(folder: Path, payload: bytes) -> Path:
    """A file with the header of a bzImage: two sectors of set-up, then the payload."""
    image = bytearray(3 * 512)
    image[0x1F1] = 2
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", image, 0x20E, 0x300)
    version = b"6.1.0-50-cloud-amd64 (team@debian) #1 SMP\0"
    image[0x300 + 512 : 0x300 + 512 + len(version)] = version
    struct.pack_into("<II", image, 0x248, 16, len(payload) + 4)
    path = folder / "vmlinuz"
    path.write_bytes(bytes(image) + bytes(16) + payload + b"SIZE" + b"rest")
    return path


def test_the_release_is_read_from_the_header(tmp_path: Path) -> None:
    assert bzimage.release(kernel_file(tmp_path, b"")) == "6.1.0-50-cloud-amd64"


@pytest.mark.parametrize(
    ("magic", "program"),
    [(b"\x02\x21\x4c\x18", "lz4"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ", "xz")],
)
def test_the_payload_goes_to_its_unpacker_without_the_length(
    tmp_path: Path, magic: bytes, program: str
) -> None:
    path = kernel_file(tmp_path, magic + b"packed")
    unpacked = bzimage.unpack(path, Unpacker(tmp_path))
    assert unpacked == f"usr/bin/{program} ".encode() + magic + b"packed"


def test_what_is_no_kernel_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vmlinuz").write_bytes(b"\x7fELF" * 1000)
    with pytest.raises(GuestError, match="is not a Linux kernel"):
        bzimage.release(tmp_path / "vmlinuz")
    with pytest.raises(GuestError, match="cannot be read: No such file"):
        bzimage.release(tmp_path / "nowhere")


def test_an_unknown_packing_is_named(tmp_path: Path) -> None:
    with pytest.raises(GuestError, match="packed in a way"):
        bzimage.unpack(kernel_file(tmp_path, b"????"), Unpacker(tmp_path))
