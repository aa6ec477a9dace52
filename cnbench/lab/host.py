"""The lab that experiments see: everything they may build, each with its end built in.

It is the same inside a guest: there the guest is the host.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import uuid
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TypeVar, cast

from cnbench.core.errors import UnsupportedError
from cnbench.core.metric import ClockName
from cnbench.lab import netns
from cnbench.lab.cgroups import cpu, everywhere, group, hierarchies
from cnbench.lab.cgroups.group import Cgroup
from cnbench.lab.clock import Clock, open_clock
from cnbench.lab.journal import Journal, open_journal
from cnbench.lab.long_work import LongWork
from cnbench.lab.own_folder import folder_in
from cnbench.lab.processes import RUN_VARIABLE
from cnbench.lab.refusal import asked_once
from cnbench.lab.resources import Resource
from cnbench.lab.storage import filesystems, loop, mounts, scheduler
from cnbench.lab.timed import TimedParts

T = TypeVar("T")


class Fixtures:
    """Set-ups that several cases of one group share, made at first use and kept to its end."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._made: dict[Hashable, object] = {}

    def get(self, key: Hashable, make: Callable[[], AbstractContextManager[T]]) -> T:
        """The set-up called ``key``, made by ``make`` if it is not there yet."""
        if key not in self._made:
            self._made[key] = self._open.enter_context(make())
        return cast(T, self._made[key])

    def close(self) -> None:
        """Take all of them down, last made first."""
        self._made.clear()
        self._open.close()


class Lab:
    """A machine on which cases are set up. Use ``open_lab``."""

    def __init__(self, name: str, clock: Clock, journal: Journal, folder: Path) -> None:
        self.name = name
        self.clock = clock
        self.journal = journal
        self.folder = folder
        self.timed = TimedParts()
        self.long_work = LongWork()
        # What the user gave beside parameters: the contents of files, by name.
        self.inputs: Mapping[str, str] = {}
        self._run_folders = Fixtures()
        self._fixtures = Fixtures()
        self._numbers = itertools.count(1)

    def fixture(self, key: Hashable, make: Callable[[], AbstractContextManager[T]]) -> T:
        """A set-up that the cases of a group share; ``make`` opens it where it is not there yet."""
        return self._fixtures.get(key, make)

    @contextlib.contextmanager
    def fresh_fixtures(self) -> Iterator[None]:
        """Have cases opened inside share set-ups with each other alone.

        The set-ups live until the stack of contexts that they were opened in is left.
        """
        before, self._fixtures = self._fixtures, Fixtures()
        ours = self._fixtures
        try:
            yield
        finally:
            ours.close()
            self._fixtures = before

    def network_namespace(self, name: str) -> AbstractContextManager[netns.NetworkNamespace]:
        """A new network namespace, called ``name`` in messages."""
        # iptables' lock file is the host's otherwise: another's rules would make ours wait.
        return netns.open_netns(name, {"XTABLES_LOCKFILE": str(self.folder / "xtables.lock")})

    @asked_once
    def require_namespaces(self) -> None:
        """Raise UnsupportedError where this user or kernel cannot make a network namespace."""
        with self.network_namespace("trial"):
            pass

    def cpu_group(
        self, version: hierarchies.Version, above: cpu.CpuGroup | None = None
    ) -> AbstractContextManager[cpu.CpuGroup]:
        """A new cgroup with the cpu controller; below ``above``, if that is given."""
        run_folder = self._run_folders.get(
            version, lambda: cpu.open_run_folder(self.journal, version, self._cgroups_below)
        )
        name = f"group-{next(self._numbers)}"
        return cpu.open_cpu_group(self.journal, above.controller if above else run_folder, name)

    def cgroup(
        self, controller: str, version: str, above: Cgroup | None = None
    ) -> AbstractContextManager[Cgroup]:
        """A new cgroup with ``controller`` (v1's name for it); below ``above``, if that is given.

        Raises:
            UnsupportedError: this machine cannot use the controller in this version.
        """
        name = f"group-{next(self._numbers)}"
        if above:
            return group.open_group(self.journal, above.folder, above.hierarchy, name)
        hierarchy = hierarchies.require(controller, version)
        folder = self._run_folders.get(hierarchy, lambda: self._open_hierarchy(hierarchy))
        return group.open_group(self.journal, folder, hierarchy, name)

    @contextlib.contextmanager
    def _open_hierarchy(self, hierarchy: hierarchies.Hierarchy) -> Iterator[Path]:
        with contextlib.ExitStack() as opened:
            root = hierarchy.root or opened.enter_context(
                hierarchies.open_mount(self.journal, hierarchy, self.folder)
            )
            if hierarchy.root is None:  # its folder goes before the mount does
                yield opened.enter_context(hierarchies.open_run_folder(self.journal, root))
                return
            folder = self._cgroups_below(root)
            if hierarchy.version == "v2":
                name = hierarchies.name_to_pass_on(hierarchy)
                for above in (root, folder):
                    opened.enter_context(hierarchies.passed_on(self.journal, above, name))
            yield folder

    def _cgroups_below(self, root: Path) -> Path:
        return self._run_folders.get(root, lambda: hierarchies.open_run_folder(self.journal, root))

    def cgroup_folders(self) -> tuple[Path, ...]:
        """The run's folder in each hierarchy that a container runtime uses; all have one name.

        Raises:
            UnsupportedError: none is mounted, or they are read-only.
        """
        return self._run_folders.get("everywhere", self._open_everywhere)

    @contextlib.contextmanager
    def _open_everywhere(self) -> Iterator[tuple[Path, ...]]:
        folders = []
        with contextlib.ExitStack() as opened:
            for root in everywhere.roots():
                folder = self._cgroups_below(root)
                opened.enter_context(everywhere.passing_all_on(self.journal, root, folder))
                folders.append(folder)
            yield tuple(folders)

    @asked_once
    def require_cpu_group(self, version: str) -> None:
        """Raise UnsupportedError where no cgroup with the cpu controller can be made and limited.

        One is made: they may be read-only, or hidden below another mount.
        """
        try:
            with self.cpu_group(cast(hierarchies.Version, version)) as trial:
                trial.read_limit()  # below another mount a folder is made, but it has no limit
                trial.limit(quota=0.5, period=0.1)
        except OSError as error:
            raise UnsupportedError(
                f"cgroup {version} cannot be used, though its cpu controller is mounted: "
                f"{error.filename}: {error.strerror}",
                "run outside of a container, or use --lab guest",
            ) from error

    @asked_once
    def require_mounts(self) -> None:
        """Raise UnsupportedError where this user cannot mount anything, root or not."""
        with self.mount("none", self.temporary_folder(), "tmpfs"):
            pass

    def mount(
        self, source: str, target: Path, filesystem: str, options: str = ""
    ) -> AbstractContextManager[Path]:
        """``source`` mounted on ``target``, a folder of ours."""
        return mounts.open_mount(self.journal, source, target, filesystem, options)

    def loop_device(self, image: Path) -> AbstractContextManager[loop.LoopDevice]:
        """``image``, a file of ours, as a disk."""
        return loop.open_loop_device(self.journal, image)

    def disk_scheduler(
        self, disk: loop.LoopDevice, name: str, settings: Mapping[str, int]
    ) -> AbstractContextManager[None]:
        """Another scheduler for a disk of ours."""
        return scheduler.open_scheduler(self.journal, disk, name, settings)

    def filesystem(self, kind: str, content: int) -> AbstractContextManager[filesystems.Filesystem]:
        """A new file system with room for ``content`` bytes of files."""
        name = f"{kind}-{next(self._numbers)}"
        return filesystems.open_filesystem(self.journal, self.folder, name, kind, content)

    def temporary_folder(self) -> Path:
        """A new empty folder, which is removed with the lab's own."""
        folder = self.folder / f"folder-{next(self._numbers)}"
        folder.mkdir()
        return folder

    def close(self) -> None:
        """Take down what all groups of the run shared."""
        self._run_folders.close()


@contextlib.contextmanager
def _marked(run: str) -> Iterator[None]:
    """Have all that is started inside carry the run's name in its environment."""
    before = os.environ.get(RUN_VARIABLE)
    os.environ[RUN_VARIABLE] = run
    try:
        yield
    finally:
        if before is None:
            del os.environ[RUN_VARIABLE]
        else:
            os.environ[RUN_VARIABLE] = before


@contextlib.contextmanager
def open_lab(name: str, clock: ClockName, journal_folder: Path | None = None) -> Iterator[Lab]:
    """A lab on this machine, with a journal and one temporary folder of its own."""
    run = uuid.uuid4().hex[:12]
    with (
        open_journal(run, journal_folder) as journal,
        folder_in(journal) as folder,
        journal.owning(Resource("processes", run)),
        _marked(run),
        open_clock(clock) as opened,
        contextlib.closing(Lab(name, opened, journal, folder)) as lab,
    ):
        yield lab
