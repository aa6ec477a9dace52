"""The folder of kernel histories: the last one of each experiment, and what asv needs to draw them.

Only whole histories are kept side by side. To put one kernel of another run beside them would also
put another version of the measuring code beside them, and its difference would look like a
kernel's.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

from cnbench.asv import history
from cnbench.core.errors import UsageError
from cnbench.core.kernels.release import KernelRelease, release_order
from cnbench.core.run import Run
from cnbench.lab import commands
from cnbench.lab.guest.build import cache
from cnbench.store import run_file
from cnbench.store.runs import SUFFIX, all_runs, results_folder

_RUNS = "runs"
_RELEASES = "releases.json"


def histories_folder() -> Path:
    """Where kernel histories are: ``asv-kernels`` beside the folder of run files."""
    return results_folder().parent / "asv-kernels"


def check(run: Run) -> None:
    """Refuse a run that holds no history.

    Raises:
        UsageError: it has counts of fewer than two kernels.
    """
    found = history.releases_in(run)
    if len(found) < 2:
        reasons = dict.fromkeys(result.reason for result in run.cases if result.reason)
        raise UsageError(
            f"run {run.id} counted instructions on {len(found)} kernels, a history needs two"
            + "".join(f"; {reason}" for reason in reasons),
            "measure one: cnbench history --kernels bookworm,trixie EXPERIMENT",
        )


def add(run: Run, releases: Mapping[str, KernelRelease], folder: Path, pages: Path) -> None:
    """Make ``run`` the history of its experiments in ``folder``, and have asv draw all into pages.

    The folder is replaced in one step. Other experiments keep their histories.

    Args:
        run: it has counts of two kernels or more.
        releases: the kernels of ``run`` that are not known in ``folder`` yet, by their names.
        folder: ``histories_folder()``.
        pages: where asv writes its pages; what is there is replaced.

    Raises:
        UsageError: a file in the folder is damaged.
        UnsupportedError: git is not installed.
        CommandError: git or asv failed; it says why.
    """
    kept = {
        name: run_kept for name, run_kept in _kept(folder).items() if name not in run.experiments
    }
    histories = kept | _by_experiment(run)
    known = known_releases(folder) | dict(releases)
    used = {name for run_kept in histories.values() for name in history.releases_in(run_kept)}
    in_order = [known[name] for name in sorted(used, key=release_order)]
    with cache.publishing(folder) as building:
        for name, run_kept in histories.items():
            run_file.write(run_kept, building / _RUNS / f"{name}{SUFFIX}")
        (building / _RELEASES).write_text(_to_text(in_order))
        history.write(list(histories.values()), in_order, building, pages)
    publish(folder, pages)


def publish(folder: Path, pages: Path) -> None:
    """Have asv draw what is in ``folder`` into ``pages``.

    Raises:
        CommandError: asv failed; it says why.
    """
    # asv copies its pages there, and cannot make a folder in one that does not exist.
    pages.parent.mkdir(parents=True, exist_ok=True)
    if pages.exists():
        shutil.rmtree(pages)
    asv = [sys.executable, "-m", "asv", "--config", str(folder / history.CONFIG)]
    commands.run([*asv, "publish", "--no-pull"])


def known_releases(folder: Path) -> dict[str, KernelRelease]:
    """The kernels of the histories in ``folder``, by name.

    Raises:
        UsageError: the file that lists them is damaged.
    """
    path = folder / _RELEASES
    try:
        listed = json.loads(path.read_text())
        return {
            entry["name"]: KernelRelease(
                entry["name"], date.fromisoformat(entry["built"]), entry["description"]
            )
            for entry in listed
        }
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is damaged: {error}", f"remove {folder}") from error


def _kept(folder: Path) -> dict[str, Run]:
    """The histories in ``folder``, by experiment."""
    return {path.stem: run_file.read(path) for path in all_runs(folder / _RUNS)}


def _by_experiment(run: Run) -> dict[str, Run]:
    return {
        name: replace(
            run,
            experiments={name: record},
            cases=[result for result in run.cases if result.case.experiment == name],
        )
        for name, record in run.experiments.items()
    }


def _to_text(releases: list[KernelRelease]) -> str:
    listed = [asdict(release) | {"built": release.built.isoformat()} for release in releases]
    return json.dumps(listed, indent=1) + "\n"
