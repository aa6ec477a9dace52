"""Runs on several kernels that were never measured, with known costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from cnbench.core.case import Case
from cnbench.core.fingerprint import Fingerprint
from cnbench.core.kernels.release import KernelRelease
from cnbench.core.metric import ClockName, Metric
from cnbench.core.run import CaseResult, ExperimentRecord, Request, Run, Sample

ROUTING = ExperimentRecord(
    question="What does a Service cost?",
    variant="mode",
    metrics=(
        Metric("connect", "s", "lower", "ratio", "time to connect"),
        Metric("rate", "B/s", "higher", "ratio", "throughput"),
    ),
    parameters={"mode": "", "services": "", "period": "s"},
)
RELEASES = {
    "bullseye": KernelRelease("5.10.0-32-cloud-amd64", date(2024, 8, 10), "Debian 5.10.223-1"),
    "bookworm": KernelRelease("6.1.0-50-cloud-amd64", date(2026, 7, 2), "Debian 6.1.176-1"),
    "trixie": KernelRelease("6.12.107+deb13-cloud-amd64", date(2026, 8, 29), "Debian 6.12.107-1"),
}
# 1 ‰ up and down around the centre, so that the median is the centre and has an interval.
SCATTER = (1.0, 0.9999, 1.0001, 0.9998, 1.0002, 0.9999, 1.0001, 1.0)


def environment(kernel: str, clock: str = "instructions", lab: str = "guest") -> Fingerprint:
    release = RELEASES[kernel].name if kernel in RELEASES else kernel
    return Fingerprint(
        lab=lab,
        clock=clock,
        kernel=release,
        machine={"cpu": "QEMU Virtual CPU", "cpus": "1", "memory": "1 GiB"},
        behaviour={},
        tools={"python": "3.13.5"},
        image=f"0123456789ab-{kernel:x<12.12}" if lab == "guest" else "",
    )


def counted(
    mode: str,
    centre: float,
    kernel: str,
    *,
    services: int = 1000,
    metric: str = "connect",
    status: str = "ok",
    clock: ClockName = "instructions",
    lab: str = "guest",
    experiment: str = "service-routing",
) -> CaseResult:
    params = {"mode": mode, "services": services, "period": 0.1}
    samples = tuple(
        Sample(block, 0, {metric: centre * by}, float(block), 1.0)
        for block, by in enumerate(SCATTER)
    )
    return CaseResult(
        case=Case(experiment, params, lab, clock, kernel if lab == "guest" else ""),
        group=0,
        status=status,  # type: ignore[arg-type]
        reason="" if status == "ok" else "as made up",
        samples=samples if status == "ok" else (),
        twin=samples if status == "ok" else (),
        fingerprint=environment(kernel, clock, lab).digest,
    )


def run_of(
    results: Sequence[CaseResult],
    environments: Sequence[Fingerprint],
    *,
    id: str = "20260101-000000-aaaa",
    records: Mapping[str, ExperimentRecord] | None = None,
) -> Run:
    records = records or {"service-routing": ROUTING}
    kernels = tuple(dict.fromkeys(r.case.kernel for r in results if r.case.kernel))
    return Run(
        id=id,
        started="2026-10-01T12:00:00+00:00",
        cnbench="0.1.0",
        request=Request(tuple(records), False, {}, "guest", "instructions", None, 1, kernels),
        experiments=dict(records),
        finished="2026-10-01T12:10:00+00:00",
        fingerprints={one.digest: one for one in environments},
        cases=list(results),
    )


def three_kernels() -> Run:
    """iptables falls by 10 % with trixie, ipvs stays; bullseye could not do nftables."""
    results = []
    for kernel, iptables in (("bullseye", 100e3), ("bookworm", 100.01e3), ("trixie", 90e3)):
        results += [
            counted("iptables", iptables, kernel),
            counted("ipvs", 80e3, kernel),
            counted("nftables", 70e3, kernel, status="unsupported")
            if kernel == "bullseye"
            else counted("nftables", 70e3, kernel),
            counted("iptables", 60e3, kernel, services=1),
        ]
    # The last one failed on one kernel, which is not the same as being impossible there.
    results[-1] = counted("iptables", 60e3, "trixie", services=1, status="failed")
    return run_of(results, [environment(kernel) for kernel in RELEASES])
