"""Where a build takes place: packages unpacked, and a Go that compiles without the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnbench.core.errors import CnbenchError
from cnbench.lab import commands
from cnbench.lab.guest.build.apt import PrivateApt
from cnbench.lab.guest.build.sources import debian_mirror
from cnbench.lab.processes import running

Progress = Callable[[str], None]
"""Is told in a few words what a long piece of work has come to."""

# Where Debian's packages of Go libraries put them (dh-golang).
GOCODE = "usr/share/gocode"
# How many packages more are compiled between two words about it.
_STEP = 100
_LINES_OF_A_COMPLAINT = 5


@dataclass(frozen=True)
class Workshop:
    """A folder to build in, packages of one suite, and somebody who listens how far it is.

    Attributes:
        folder: everything of the build is below it.
        suite: the Debian suite that packages come from.
        say: is told what goes on.
    """

    folder: Path
    suite: str
    say: Progress

    @property
    def tree(self) -> Path:
        """Where packages are unpacked."""
        return self.folder / "tree"

    def open_apt(self, sources: bool = False) -> PrivateApt:
        """An apt that knows what the suite has today; raises GuestError without a mirror."""
        self.say(f"fetching Debian {self.suite}'s package list")
        apt = PrivateApt(self.folder / "apt", debian_mirror(), self.suite, sources)
        apt.update()
        return apt

    def fetch(self, apt: PrivateApt, packages: Sequence[str]) -> dict[str, str]:
        """Unpack ``packages`` below ``tree``: their versions by name.

        Raises:
            GuestError: one cannot be fetched.
        """
        self.say(f"fetching {len(packages)} packages of Debian {self.suite}")
        archives = apt.download(packages, self.folder / "archives")
        self.tree.mkdir(exist_ok=True)
        versions = {}
        for archive in archives:
            commands.run(["dpkg-deb", "--extract", str(archive), str(self.tree)])
            name, version, _ = archive.name.split("_", 2)
            versions[name] = version.replace("%3a", ":")
            archive.unlink()
        return versions

    def fetch_source(self, apt: PrivateApt, package: str, into: Path) -> str:
        """Unpack a source package, Debian's patches applied, as the folder ``into``: its version.

        Raises:
            UnsupportedError: dpkg-source is not installed.
            GuestError: it cannot be fetched.
        """
        commands.require("dpkg-source")
        self.say(f"fetching the source of {package} of Debian {self.suite}")
        description = apt.download_source(package, self.folder / "source")
        into.parent.mkdir(parents=True, exist_ok=True)
        # --no-check: apt has compared the files with the signed list of the mirror.
        argv = ["dpkg-source", "--no-check", "--no-copy", "-x", str(description), str(into)]
        commands.run(argv)
        version: str = description.name.split("_", 1)[1].removesuffix(".dsc")
        return version

    def go(self, version: str, path: Path) -> Go:
        """The unpacked Go of ``version``, which finds what it imports below ``path`` alone."""
        return Go(self.folder, self.tree / f"usr/lib/go-{version}", path, self.say)


@dataclass(frozen=True)
class Go:
    """A Go that compiles what is there, and fetches nothing.

    Attributes:
        folder: of the build, for what it keeps.
        root: where this Go is.
        path: its GOPATH.
        say: is told how far it is.
    """

    folder: Path
    root: Path
    path: Path
    say: Progress

    def environment(self) -> dict[str, str]:
        """What its commands find in their environment."""
        temporary = self.folder / "temporary"
        temporary.mkdir(exist_ok=True)
        return {
            "GOROOT": str(self.root),
            "GOPATH": str(self.path),
            "GOCACHE": str(self.folder / "go-cache"),
            "GOTMPDIR": str(temporary),
            "GO111MODULE": "off",
            "GOPROXY": "off",
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "",
            "GOENV": "off",
            # Such a program needs no library of this machine, and runs on any.
            "CGO_ENABLED": "0",
            "HOME": str(self.folder),
            "PATH": f"{self.root}/bin:/usr/bin:/bin",
        }

    def run(self, *argv: str) -> str:
        """Run a command among Go's and the machine's own: what it printed; raises CommandError."""
        given = [f"{name}={value}" for name, value in self.environment().items()]
        return commands.run(["env", "-i", *given, *argv]).stdout

    def build(self, into: Path, packages: Sequence[str], linker: str = "") -> None:
        """Compile ``packages`` to programs in the folder ``into``.

        Raises:
            CnbenchError: it does not compile; the message ends with what the compiler said.
        """
        into.mkdir(exist_ok=True)
        names = ", ".join(package.rsplit("/", 1)[-1] for package in packages)
        total = len(self.run("go", "list", "-deps", *packages).splitlines())
        given = [f"{name}={value}" for name, value in self.environment().items()]
        # No symbols, which double a program's size; no path of this machine.
        flags = ["-v", "-trimpath", "-ldflags", f"-s -w {linker}", "-o", f"{into}/"]
        said: list[str] = []
        with running(["env", "-i", *given, "go", "build", *flags, *packages]) as process:
            assert process.stderr is not None  # noqa: S101  running() has piped it
            for number, line in enumerate(process.stderr):
                said = [*said[1 - _LINES_OF_A_COMPLAINT :], line.strip()]
                if number % _STEP == 0:
                    self.say(f"compiling {names}: package {number} of at most {total}")
            code = process.wait()
        if code != 0:
            raise CnbenchError(f"{names} could not be compiled: {' | '.join(said)}")
