"""Which Debian mirror this machine uses: read from its own apt configuration, never from here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cnbench.lab.guest.errors import GuestError

SUITES = ("bullseye", "bookworm", "trixie", "sid")
"""The suites a kernel can be taken from, oldest first."""

_ETC = Path("/etc/apt")
_DEBIAN_SUITE = re.compile(
    r"(buster|bullseye|bookworm|trixie|forky|sid|unstable|testing|(old)*stable)"
    r"(-updates|-backports)?$"
)
# What a stanza says of its own suites; everything else (Signed-By, Trusted, ...) holds for the
# mirror, and so for any suite of it.
_OF_THE_SUITE = {"types", "suites", "components", "enabled", "architectures", "uris"}
_ONE_LINE = re.compile(
    r"^deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s*(?P<components>.*)$"
)


@dataclass(frozen=True)
class Source:
    """One entry of an apt configuration: ``fields`` are the options of its mirror."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    fields: Mapping[str, str] = field(default_factory=dict)

    def stanza(self, suite: str, types: str = "deb") -> str:
        """A deb822 entry (sources.list(5)) for ``suite``'s main component on this mirror."""
        lines = [f"Types: {types}", f"URIs: {' '.join(self.uris)}", f"Suites: {suite}"]
        lines += ["Components: main", "Architectures: amd64"]
        lines += [f"{name}: {value}" for name, value in self.fields.items()]
        return "\n".join(lines) + "\n"


def debian_mirror(etc: Path = _ETC) -> Source:
    """The mirror that ``etc`` (an ``/etc/apt``) takes Debian itself from.

    ``$CNBENCH_DEBIAN_MIRROR`` (a URL) is used instead where it is set.

    Raises:
        GuestError: none of its entries is Debian's archive.
    """
    chosen = os.environ.get("CNBENCH_DEBIAN_MIRROR")
    if chosen:
        return Source((chosen,), (), ("main",))
    debian = [source for source in read_sources(etc) if _is_debian(source)]
    if not debian:
        raise GuestError(
            f"no entry in {etc} is a mirror of Debian, where guests come from",
            "set CNBENCH_DEBIAN_MIRROR to the URL of one",
        )
    return debian[0]


def read_sources(etc: Path) -> list[Source]:
    """All enabled binary entries of ``etc``, in apt's order."""
    parts = etc / "sources.list.d"
    one_line = [etc / "sources.list", *sorted(parts.glob("*.list"))]
    sources = [source for path in one_line if path.is_file() for source in _one_lines(path)]
    for path in sorted(parts.glob("*.sources")):
        sources += _stanzas(path.read_text())
    return sources


def _is_debian(source: Source) -> bool:
    if "main" not in source.components:
        return False
    if not any(_DEBIAN_SUITE.match(suite) for suite in source.suites):
        return False
    # Other vendors name suites after Debian's too: they sign with keys of their own.
    keyring = source.fields.get("Signed-By", "")
    named_so = any(uri.rstrip("/").rpartition("/")[2] == "debian" for uri in source.uris)
    return "debian-archive" in keyring or named_so


def _one_lines(path: Path) -> Iterator[Source]:
    for line in path.read_text().splitlines():
        found = _ONE_LINE.match(line.partition("#")[0].strip())
        if found:
            options = dict(
                option.split("=", 1) for option in (found["options"] or "").split() if "=" in option
            )
            yield Source(
                (found["uri"],),
                (found["suite"],),
                tuple(found["components"].split()),
                _mirror_fields(options),
            )


def _stanzas(text: str) -> Iterator[Source]:
    for block in re.split(r"\n\s*\n", text):
        fields = dict(_fields(block.splitlines()))
        if "deb" in fields.get("Types", "").split() and fields.get("Enabled", "yes") != "no":
            yield Source(
                tuple(fields.get("URIs", "").split()),
                tuple(fields.get("Suites", "").split()),
                tuple(fields.get("Components", "").split()),
                _mirror_fields(fields),
            )


def _fields(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    name, value = "", ""
    for line in lines:
        if line.startswith("#"):
            continue
        if line[:1].isspace():
            value += "\n" + line
        else:
            if name:
                yield name, value
            name, _, rest = line.partition(":")
            value = rest.strip()
    if name:
        yield name, value


def _mirror_fields(fields: Mapping[str, str]) -> dict[str, str]:
    return {
        "-".join(word.capitalize() for word in name.split("-")): value
        for name, value in fields.items()
        if name.lower() not in _OF_THE_SUITE and name.lower() != "arch"
    }
