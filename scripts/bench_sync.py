"""Programs services beside the mode's own tool with the same program, and says what we add to it.

Each mode's `sync` (kube-proxy's first full sync: the program is written, and loaded) shares its
samples with the tool alone, which finds the program written: `iptables-restore`, `nft -f`, and
`ipvsadm -R`, which makes the servers and nothing else. Their quotients must stay, with all of the
95 % interval, below 1.10, and for IPVS not above 1. A program is written while its beginning is
being read, which takes a second processor: on a machine that is busy otherwise, the bounds may not
hold.

    .venv/bin/python scripts/bench_sync.py [MODE ...]

In iptables mode chains are named before the sync, as kube-proxy names those of services when it
hears of them, and those of endpoints once; what that takes is shown apart, as `names`. IPVS is
measured in the guest, where there is one (`make guest`), on both clocks: instructions scatter
little, but leave out what is waited for. Ends with 1 where a bound was not held, with 3 where the
intervals do not tell, with 5 where something could not be measured.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from cnbench.cli.tables import console
from cnbench.core.errors import ExitCode
from cnbench.core.run import CaseResult
from cnbench.core.units import format_quantity
from cnbench.lab import commands
from cnbench.proxy import MODES, generate, synthetic_services
from cnbench.stats.intervals import Interval, median_interval
from cnbench.store import run_file

CNBENCH = Path(sys.executable).with_name("cnbench")
ENDPOINTS = 2
BOUND = 1.10
IPVS_BOUND = 1.0


@dataclass(frozen=True)
class Series:
    """One run: a mode at some sizes, in a lab and on a clock."""

    mode: str
    sizes: Sequence[int]
    lab: str = "host"
    clock: str = "wall"

    @property
    def bound(self) -> float:
        """What the sync may take, as a multiple of what the tool takes."""
        return IPVS_BOUND if self.mode == "ipvs" else BOUND


# What nftables and iptables-nft need grows with more than the square of the services: 20,000 would
# take them minutes, a hundred times what writing their program does.
ALL_SERIES = (
    Series("iptables", (1000, 5000, 20_000)),
    Series("iptables-nft", (1000, 2000)),
    Series("nftables", (1000, 3000)),
    Series("ipvs", (1000, 2000), "guest"),
    Series("ipvs", (1000,), "guest", "instructions"),
)
# What the issue of writing programs asks: so many services, in less than so many seconds.
MOST_SERVICES = 50_000
WRITING_BOUND = 2.0
SYNC_HEADINGS = (
    "",
    "services",
    "tool alone",
    "names",
    "sync",
    "pairs",
    "sync / tool, 95 %",
    "at most",
)
_GRAVEST_FIRST = (ExitCode.FAILED, ExitCode.WORSE, ExitCode.INCONCLUSIVE)


@dataclass(frozen=True)
class Finding:
    """What came of a question, and what that means."""

    figures: Sequence[str]
    exit_code: ExitCode

    @property
    def verdict(self) -> str:
        """The exit code in words."""
        return {
            ExitCode.FINE: "held",
            ExitCode.WORSE: "not held",
            ExitCode.INCONCLUSIVE: "undecided",
        }.get(self.exit_code, "not measured")


def measured(series: Series, folder: Path) -> list[CaseResult]:
    """The cases of a series, one a size; empty where the run came to nothing."""
    file = folder / f"{series.mode}-{series.clock}.json"
    sizes = ",".join(map(str, series.sizes))
    parameters = {"measure": "sync", "mode": series.mode, "services": sizes, "endpoints": ENDPOINTS}
    given = [word for name, value in parameters.items() for word in ("-p", f"{name}={value}")]
    place = ("--lab", series.lab, "--clock", series.clock)
    argv = [CNBENCH, "run", "service-routing", "--quick", *given, *place, "-o", file]
    # Its table would be the same figures without our intervals; its progress goes on.
    subprocess.run(argv, stdout=subprocess.DEVNULL, check=False)
    return run_file.read(file).cases if file.exists() else []


def sync_findings(series: Series, folder: Path) -> Iterator[Finding]:
    """How much a sync exceeds its tool, size by size."""
    cases = {int(result.case.params["services"]): result for result in measured(series, folder)}
    for services in series.sizes:
        result = cases.get(services)
        if result is None or result.status != "ok":
            reason = result.reason if result else "the run ended before it"
            yield Finding([series.mode, f"{services:,}", reason], ExitCode.FAILED)
        else:
            yield sync_finding(result, series.bound)


def sync_finding(result: CaseResult, bound: float) -> Finding:
    """The quotient of a case's paired samples, its twin's (A′) among them, and its verdict."""
    samples = [s for s in (*result.samples, *result.twin) if not s.replaced]
    unit = "s" if result.case.clock == "wall" else "instructions"
    median = {
        name: median_interval([sample.values[name] for sample in samples])
        for name in samples[0].values
    }
    ratio = median["overhead"]
    figures = [
        str(result.case.params["mode"]),
        f"{result.case.params['services']:,}",
        *(
            format_quantity(median[name].estimate, unit) if name in median else "-"
            for name in ("tool", "arrival", "sync")
        ),
        str(len(samples)),
        f"{ratio.estimate:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]",
        f"{bound:.2f}",
    ]
    return Finding(figures, _verdict(ratio, bound))


def _verdict(ratio: Interval, bound: float) -> ExitCode:
    if ratio.high <= bound:
        return ExitCode.FINE
    return ExitCode.WORSE if ratio.low > bound else ExitCode.INCONCLUSIVE


def writing_finding(mode: str) -> Finding:
    """What writing a large program takes of a processor: the best of three times."""
    services = synthetic_services(MOST_SERVICES, ENDPOINTS)
    took = []
    for _ in range(3):
        began = time.process_time()
        size = len(generate(mode, services))
        took.append(time.process_time() - began)
    figures = [mode, format_quantity(size, "B"), format_quantity(min(took), "s")]
    held = min(took) < WRITING_BOUND
    return Finding(figures, ExitCode.FINE if held else ExitCode.WORSE)


def table_of(title: str, headings: Sequence[str], findings: Sequence[Finding]) -> Table:
    """The findings, a line each."""
    table = Table(title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD)
    for number, heading in enumerate((*headings, "")):
        table.add_column(heading, justify="right" if number else "left", no_wrap=True)
    for finding in findings:
        blanks = [""] * (len(headings) - len(finding.figures))
        table.add_row(*finding.figures, *blanks, finding.verdict)
    return table


def modes_here(asked: Sequence[str], out: Console) -> list[str]:
    """The modes to measure: those asked for, less IPVS where there is no guest for it."""
    chosen = [mode for mode in MODES if mode in (asked or MODES)]
    if not asked and "ipvs" in chosen and not commands.find("qemu-system-x86_64"):
        chosen.remove("ipvs")
        out.print("ipvs: no qemu-system-x86_64 here; `make setup` gets it")
    return chosen


def main() -> int:
    """Measure, show, and say by the exit status whether the bounds held."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("modes", nargs="*", metavar="MODE", help=", ".join(MODES))
    out, asked = console(), parser.parse_args().modes
    if unknown := set(asked) - set(MODES):
        parser.error(f"no mode {', '.join(sorted(unknown))}; there are {', '.join(MODES)}")
    modes = modes_here(asked, out)
    began = time.monotonic()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        syncs: list[Finding] = []
        for series in ALL_SERIES:
            if series.mode in modes:
                found = list(sync_findings(series, Path(folder)))
                # It is minutes to the next: whoever waits, or stops it, has seen these.
                out.print(table_of(f"{series.mode}, {series.clock}", SYNC_HEADINGS, found))
                syncs += found
    writing = [writing_finding(mode) for mode in modes]
    out.print(table_of(f"Services of {ENDPOINTS} endpoints, from empty", SYNC_HEADINGS, syncs))
    title = f"Writing the program of {MOST_SERVICES:,} services, names included"
    limit = f"CPU time, at most {WRITING_BOUND:g} s"
    out.print(table_of(title, ("", "program", limit), writing))
    out.print(
        f"{time.monotonic() - began:.0f} s; {os.cpu_count()} processors, load {load:.1f} before"
    )
    codes = {finding.exit_code for finding in (*syncs, *writing)}
    return int(next((code for code in _GRAVEST_FIRST if code in codes), ExitCode.FINE))


if __name__ == "__main__":
    sys.exit(main())
