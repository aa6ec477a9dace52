"""Shows that asv's gate keeps silent over nothing, and rings for one per cent.

Clones the repository and gives it two commits: one that changes nothing, and one that makes the
iptables program of every Service dearer by 26 rules which match no packet. At 24 instructions a
rule that is 1.0 % of a connection to the first Service, 0.7 % to the last of 1,000; the proofs hold
as before. Then ``asv continuous`` compares each with its parent again and again, both measured anew
each time (some four minutes). The exit code is 0 only if no comparison of equals was an alarm, each
of the dearer commit was, and no alarm was about a mode that the commit left alone.

Needs a guest (`make guest`): a host's clock knows no one per cent. ``--axis`` has the benchmark
measure less, by a commit before the two: its time is a minute then, on a quiet machine.

    .venv/bin/python scripts/asv_false_alarms.py [--times 10]
        [--axis mode=iptables,ipvs --axis services=100 --axis position=first,last]
"""

from __future__ import annotations

import argparse
import itertools
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asv.results import Results, iter_results
from asv.util import is_na

from cnbench.asv.lab_choice import guest_name

ROOT = Path(__file__).resolve().parents[1]
ASV = Path(sys.executable).with_name("asv")
# How asv ends what it says when it has compared; without it, it has not.
_COMPARED = re.compile(
    r"^(?:BENCHMARKS NOT SIGNIFICANTLY CHANGED|.*PERFORMANCE (?:IN|DE)CREASED)", re.M
)
_WORSE = re.compile(r"^\| \+ +\|.*\| *(\S+\(.*\)) +\|$", re.M)
_IDENTITY = ("-c", "user.name=nobody", "-c", "user.email=nobody@localhost")

_BENCHMARK = Path("benchmarks/service_routing.py")
_CLASS = "ServiceConnect"
_PROGRAM = Path("cnbench/proxy/iptables/program.py")
_BEFORE_THE_SERVICES = "    yield _masquerade_rules()\n"
# 203.0.113.0/24 is for documentation (RFC 5737): nobody sends there.
_DEARER = '    yield (f"-A KUBE-SERVICES -d 203.0.113.{n}/32 -j RETURN" for n in range(1, 27))\n'
# What asv calls a benchmark of that mode contains this.
_DEARER_MODE = "'iptables'"


@dataclass(frozen=True)
class Comparison:
    """What ``asv continuous`` said of two commits.

    Attributes:
        rang: whether it ended with 1, which is its alarm.
        worse: the benchmarks that it calls worse, with their parameters.
        said: all of its words.
        took: seconds.
    """

    rang: bool
    worse: tuple[str, ...]
    said: str
    took: float


def git(folder: Path, *arguments: str) -> str:
    """Run git in ``folder``."""
    argv = ["git", "-C", str(folder), *arguments]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def clone_with_commits(folder: Path, axes: dict[str, str]) -> tuple[Path, str, str, str]:
    """A clone of the repository, and three commits: what is compared with, its equal, the dearer.

    Args:
        folder: where to clone to.
        axes: what the benchmark is to measure less of: values as after ``-p``, by parameter.
    """
    clone = folder / "cnbench"
    git(ROOT, "clone", "--quiet", str(ROOT), str(clone))
    for name, values in axes.items():
        written = "".join(f"{value!r}, " for value in values.split(","))
        pattern = rf'(class {_CLASS}\b.*?axes: .*?"{name}": )[^\n]*?,?\n'
        replace_once(clone / _BENCHMARK, pattern, rf"\g<1>({written}),\n")
    if axes:
        commit(clone, "Measure less")
    commit(clone, "Change nothing")
    replace_once(clone / _PROGRAM, f"({re.escape(_BEFORE_THE_SERVICES)})", rf"\1{_DEARER}")
    commit(clone, "Add 26 rules that match nothing")
    base, equal, dearer = (git(clone, "rev-parse", f"HEAD~{n}") for n in (2, 1, 0))
    return clone, base, equal, dearer


def replace_once(path: Path, pattern: str, replacement: str) -> None:
    """Replace what ``pattern`` finds in a file, which must be there once."""
    text, count = re.subn(pattern, replacement, path.read_text(), flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{path.name} is not as it was: {count} times {pattern!r}")
    path.write_text(text)


def commit(folder: Path, subject: str) -> None:
    """Commit what there is, nothing at all included."""
    git(folder, *_IDENTITY, "commit", "--quiet", "--all", "--allow-empty", "-m", subject)


def compare(clone: Path, before: str, after: str, options: argparse.Namespace) -> Comparison:
    """Have asv measure both commits and compare them.

    Raises:
        SystemExit: it did not come to a comparison, or a benchmark failed (its proof, perhaps).
    """
    began = time.monotonic()
    argv = [str(ASV), "continuous", "-f", str(options.factor), "--bench", _CLASS, "--show-stderr"]
    done = subprocess.run(
        [*argv, before, after], check=False, cwd=clone, capture_output=True, text=True
    )
    said = done.stdout + done.stderr
    if done.returncode not in (0, 1) or not _COMPARED.search(said) or "failed" in said:
        raise SystemExit(f"asv ended with {done.returncode}:\n{said}")
    worse = tuple(_WORSE.findall(said))
    if bool(worse) != bool(done.returncode):
        raise SystemExit(f"asv ended with {done.returncode}, which is not what it says:\n{said}")
    return Comparison(bool(worse), worse, said, time.monotonic() - began)


def changes(clone: Path, before: str, after: str) -> dict[str, float]:
    """How much dearer each benchmark became (0.01 is 1 %), by the medians that asv has stored."""
    old, new = _medians(clone, before), _medians(clone, after)
    return {name: new[name] / old[name] - 1 for name in old.keys() & new.keys()}


def _medians(clone: Path, commit: str) -> dict[str, float]:
    return {
        f"{name}({', '.join(point)})": median
        for results in iter_results(str(clone / "results/asv"))
        if results.commit_hash == commit
        for name in results.get_all_result_keys()
        for point, median in _points(results, name)
        if not is_na(median)
    }


def _points(results: Results, name: str) -> Iterator[tuple[tuple[str, ...], float]]:
    params = results.get_result_params(name)
    values = results.get_result_value(name, params)
    return zip(itertools.product(*params), values, strict=True)


def is_fine(compared: Comparison, dearer: bool) -> bool:
    """Whether asv rang for the dearer mode alone, or, where nothing is dearer, not at all."""
    if not dearer:
        return not compared.rang
    return compared.rang and all(_DEARER_MODE in name for name in compared.worse)


def line(compared: Comparison, found: dict[str, float], dearer: bool) -> str:
    """What a comparison came to: whether it rang, over which changes, and what else was seen."""
    of_mode = [change for name, change in found.items() if _DEARER_MODE in name]
    others = [change for name, change in found.items() if _DEARER_MODE not in name]
    return "  ".join(
        (
            "dearer" if dearer else "equal ",
            "ALARM   " if compared.rang else "no alarm",
            f"{len(compared.worse)} of {len(found)} cases worse",
            f"iptables {_span(of_mode)}",
            f"other modes {_span(others)}",
            f"{compared.took:.0f} s",
        )
    )


def _span(values: list[float]) -> str:
    return f"{min(values):+.3%} to {max(values):+.3%}" if values else "not measured"


def main() -> None:
    """Compare, and print how often asv rang for nothing, and for something."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--factor", type=float, default=1.005)
    parser.add_argument("--axis", action="append", default=[], metavar="NAME=VALUE,...")
    options = parser.parse_args()
    if guest_name() is None:
        raise SystemExit("there is no guest to count instructions in (make guest)")
    rang, fine = {False: 0, True: 0}, True
    with tempfile.TemporaryDirectory() as folder:
        clone, base, equal, costly = clone_with_commits(
            Path(folder), dict(axis.split("=") for axis in options.axis)
        )
        for number in range(1, options.times + 1):
            for before, after, dearer in ((base, equal, False), (equal, costly, True)):
                compared = compare(clone, before, after, options)
                rang[dearer] += compared.rang
                print(f"{number:2}  {line(compared, changes(clone, before, after), dearer)}",
                      flush=True)  # fmt: skip
                if not is_fine(compared, dearer):
                    fine = False
                    print(compared.said, flush=True)
    print(f"{rang[False]} alarms in {options.times} comparisons of a commit with its equal")
    print(f"{rang[True]} alarms in {options.times} comparisons with a commit of 26 more rules")
    raise SystemExit(not fine)


if __name__ == "__main__":
    main()
