"""Packages by the machine's own apt, with lists and settings of their own: its apt stays as it is.

Needs no root: apt works on any folder it may write to.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from cnbench.core.errors import CommandError
from cnbench.lab import commands
from cnbench.lab.guest.build import cache
from cnbench.lab.guest.build.sources import Source
from cnbench.lab.guest.errors import GuestError

# How the machine reaches its mirror: proxies, certificates, and what it holds of old dates.
_CONNECTION = re.compile(r"Acquire::(http|https|Check-|Retries|Force|AllowInsecure)[^\"]*\"")
# As root, these hooks of the machine would touch its caches and talk to its daemons.
_HOOKS = ("APT::Update::Pre-Invoke", "APT::Update::Post-Invoke", "APT::Update::Post-Invoke-Success")


def connection_settings() -> list[str]:
    """The machine's apt settings for reaching a mirror, as apt.conf lines."""
    dump = commands.run(["apt-config", "dump"]).stdout
    return [line for line in dump.splitlines() if _CONNECTION.match(line)]


_DISK_FULL = "No space left on device"


class PrivateApt:
    """An apt of its own in ``folder``, which knows one suite of one mirror.

    With ``sources`` it knows that suite's source packages, too.
    """

    def __init__(self, folder: Path, mirror: Source, suite: str, sources: bool = False) -> None:
        self._folder = folder
        self._suite = suite
        for name in ("lists/partial", "archives/partial", "empty"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "status").touch()
        entries = folder / "debian.sources"
        entries.write_text(mirror.stanza(suite, "deb deb-src" if sources else "deb"))
        self._configuration = folder / "apt.conf"
        self._configuration.write_text(_configuration(folder, entries))

    def update(self) -> None:
        """Fetch the suite's package list; raises GuestError where the mirror does not answer."""
        self._run(["apt-get", "-q", "update"], f"Debian {self._suite}'s package list")

    def needed_by(self, package: str, wanted: Callable[[str], bool]) -> list[str]:
        """``package`` and all it depends on, of those that are ``wanted`` by name."""
        no = [f"--no-{kind}" for kind in ("recommends", "suggests", "conflicts", "breaks")]
        no += [f"--no-{kind}" for kind in ("replaces", "enhances")]
        argv = ["apt-cache", "depends", "--recurse", "--installed", *no, package]
        argv.remove("--installed")
        listing = self._run(argv, f"what {package} of Debian {self._suite} needs")
        names = [line for line in listing.splitlines() if not line[:1].isspace()]
        return [name for name in names if wanted(name)]

    def download(self, packages: Sequence[str], into: Path) -> list[Path]:
        """Fetch ``packages`` as .deb files into ``into``; apt checks their signatures."""
        into.mkdir(parents=True, exist_ok=True)
        what = f"{', '.join(packages)} of Debian {self._suite}"
        self._run(["apt-get", "-q", "download", *packages], what, into)
        return sorted(into.glob("*.deb"))

    def download_source(self, package: str, into: Path) -> Path:
        """Fetch a source package into ``into``: its .dsc file; apt checks what that names."""
        into.mkdir(parents=True, exist_ok=True)
        what = f"the source of {package} of Debian {self._suite}"
        self._run(["apt-get", "-q", "source", "--download-only", package], what, into)
        return next(into.glob("*.dsc"))

    def _run(self, argv: list[str], what: str, where: Path | None = None) -> str:
        environment = {"APT_CONFIG": str(self._configuration)}
        # apt-get download writes into the current folder, and has no option for another.
        argv = ["env", f"--chdir={where or self._folder}", *argv]
        try:
            return commands.run(argv, environment=environment, timeout=600).stdout
        except CommandError as error:
            raise cannot_fetch(what, error) from error


def cannot_fetch(what: str, error: CommandError) -> GuestError:
    """The sentence for a download that failed, with the tool's own reason."""
    lines = error.stderr.strip().splitlines() or ["no reason given"]
    if any(_DISK_FULL in line for line in lines):
        return GuestError(
            f"{what} could not be fetched: there is no space left for it in {cache.folder()}",
            "free some gigabyte there, or set CNBENCH_CACHE to a folder that has it",
        )
    # An Err: line names the address alone; the E: line that follows in the end says why as well.
    reason = next((line for line in lines if line.startswith("E:")), lines[0])
    return GuestError(
        f"{what} could not be fetched: {reason}",
        "it comes from this machine's Debian mirror: check that `apt-get update` works",
    )


def _configuration(folder: Path, sources: Path) -> str:
    lines = [f"#clear {hook};" for hook in _HOOKS]
    lines += [
        f'Dir::Etc::sourcelist "{sources}";',
        f'Dir::Etc::sourceparts "{folder}/empty";',
        f'Dir::State "{folder}";',
        f'Dir::State::lists "{folder}/lists";',
        f'Dir::State::status "{folder}/status";',
        f'Dir::Cache "{folder}";',
        f'Dir::Cache::archives "{folder}/archives";',
        # Without this a mirror that cannot be reached is a warning, and the old lists are used.
        'APT::Update::Error-Mode "any";',
        'APT::Architecture "amd64";',
        'Acquire::Languages "none";',
    ]
    if os.geteuid() == 0:
        # apt would drop to a user who cannot write to a folder in root's home.
        lines.append('APT::Sandbox::User "root";')
    return "\n".join(lines) + "\n"
