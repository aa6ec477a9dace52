from pathlib import Path

import pytest

from cnbench.lab.guest.build.sources import Source, debian_mirror, read_sources
from cnbench.lab.guest.errors import GuestError

DEBIAN_STANZA = """\
# the archive
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
Trusted: no

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CNBENCH_DEBIAN_MIRROR", raising=False)
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_the_archive_is_found_among_stanzas(etc: Path) -> None:
    (etc / "sources.list.d/debian.sources").write_text(DEBIAN_STANZA)
    mirror = debian_mirror(etc)
    assert mirror.uris == ("http://mirror.example/debian",)
    assert mirror.suites == ("bookworm", "bookworm-updates")


def test_a_stanza_for_another_suite_keeps_what_holds_for_the_mirror(etc: Path) -> None:
    (etc / "sources.list.d/debian.sources").write_text(DEBIAN_STANZA)
    assert debian_mirror(etc).stanza("sid").splitlines() == [
        "Types: deb",
        "URIs: http://mirror.example/debian",
        "Suites: sid",
        "Components: main",
        "Architectures: amd64",
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg",
        "Trusted: no",
    ]


def test_a_key_within_a_stanza_is_kept_whole(etc: Path) -> None:
    key = (
        "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n -----END PGP PUBLIC KEY BLOCK-----"
    )
    text = "Types: deb\nURIs: http://m.example/debian\nSuites: trixie\nComponents: main\n"
    text += f"Signed-By:{key}\n"
    (etc / "sources.list.d/debian.sources").write_text(text)
    assert debian_mirror(etc).stanza("sid").endswith(f"Signed-By: {key}\n")


def test_one_line_entries_with_options(etc: Path) -> None:
    (etc / "sources.list").write_text(
        "# deb http://old.example/debian buster main\n"
        "deb-src http://mirror.example/debian trixie main\n"
        "deb [arch=amd64 signed-by=/k/debian-archive.gpg] http://m.example/d trixie main  # x\n"
    )
    assert read_sources(etc) == [
        Source(
            ("http://m.example/d",),
            ("trixie",),
            ("main",),
            {"Signed-By": "/k/debian-archive.gpg"},
        )
    ]
    assert debian_mirror(etc).uris == ("http://m.example/d",)


def test_other_vendors_are_not_taken_for_debian(etc: Path) -> None:
    (etc / "sources.list").write_text(
        "deb http://vendor.example/linux bookworm main\n"
        "deb [signed-by=/k/vendor.gpg] http://vendor.example/apt stable main\n"
        "deb http://vendor.example/debian nodistro main\n"
    )
    (etc / "sources.list.d/off.sources").write_text(
        "Enabled: no\n" + DEBIAN_STANZA.split("\n\n", maxsplit=1)[0]
    )
    with pytest.raises(GuestError, match=r"no entry in .* is a mirror of Debian") as caught:
        debian_mirror(etc)
    assert "CNBENCH_DEBIAN_MIRROR" in caught.value.remedy


def test_the_user_may_name_the_mirror(etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNBENCH_DEBIAN_MIRROR", "http://chosen.example/debian")
    assert "URIs: http://chosen.example/debian\n" in debian_mirror(etc).stanza("trixie")
