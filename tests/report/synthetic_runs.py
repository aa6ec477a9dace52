"""Small made-up runs for the report's tests; nothing in them was measured."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import product

from cnbench.core.case import Case
from cnbench.core.fingerprint import Fingerprint
from cnbench.core.metric import ClockName, Metric
from cnbench.core.parameter import Value
from cnbench.core.proof import Check, Proof
from cnbench.core.run import CaseResult, ExperimentRecord, Request, Run, Sample

ROUTING = ExperimentRecord(
    question="What does a connection through a Service cost?",
    variant="mode",
    metrics=(Metric("connect", "s", "lower", "ratio", "time to connect"),),
    parameters={"mode": "", "services": "", "endpoints": "", "position": ""},
)
QUOTA = ExperimentRecord(
    question="How exactly is a quota held?",
    variant="controller",
    metrics=(
        Metric("error", "1", "zero", "additive", "CPU time used over allowed, less one"),
        Metric("throttled", "1", "lower", "additive", "share of throttled periods"),
        Metric("stall", "s", "lower", "ratio", "longest time off the CPU"),
    ),
    parameters={"controller": "", "quota": "1", "period": "s", "threads": ""},
)
POD = ExperimentRecord(
    question="What does a pod network cost?",
    variant="backend",
    metrics=(
        Metric("throughput", "B/s", "higher", "ratio", "rate of one TCP stream"),
        Metric("cpu_cost", "s/B", "lower", "ratio", "CPU time for a byte"),
    ),
    parameters={"backend": "", "flows": ""},
)


def fingerprint(lab: str, clock: str, kernel: str, **behaviour: str) -> Fingerprint:
    return Fingerprint(
        lab=lab,
        clock=clock,
        kernel=kernel,
        machine={"cpu": "Example CPU", "cpus": "2", "memory": "4 GiB", "virtualised": "no"},
        behaviour={"CONFIG_HZ": "250"} | behaviour,
        tools={"nft": "1.0.6"},
    )


def a_run(
    records: Mapping[str, ExperimentRecord],
    *,
    id: str = "20260101-000000-0000",
    environments: Sequence[Fingerprint] = (),
) -> Run:
    request = Request(tuple(records), False, {}, "host", "wall", None, 1)
    run = Run(
        id=id,
        started="2026-01-01T00:00:00+00:00",
        cnbench="0.1.0",
        request=request,
        experiments=dict(records),
        finished="2026-01-01T00:02:00+00:00",
    )
    found = environments or (fingerprint("host", "wall", "6.1.0"),)
    run.fingerprints = {one.digest: one for one in found}
    return run


def result(
    run: Run,
    experiment: str,
    params: Mapping[str, Value],
    centres: Mapping[str, float],
    *,
    group: int = 0,
    blocks: int = 12,
    noise: float = 0.01,
    twin: bool = False,
    environment: Fingerprint | None = None,
) -> CaseResult:
    """A case whose samples lie around ``centres``; one is disturbed, one replaced."""
    found = environment or next(iter(run.fingerprints.values()))
    clock: ClockName = "instructions" if found.clock == "instructions" else "wall"
    rng = random.Random(repr((experiment, sorted(params.items()), found.kernel)))
    metrics = run.experiments[experiment].metrics
    return CaseResult(
        case=Case(experiment, dict(params), lab=found.lab, clock=clock),
        group=group,
        status="ok",
        samples=tuple(_samples(rng, metrics, centres, blocks, noise)),
        twin=tuple(_samples(rng, metrics, centres, blocks, noise)) if twin else (),
        proof=Proof((Check("took the path it claims", "200", "200", True),)),
        stopped="reached its target",
        setup=0.1,
        fingerprint=found.digest,
    )


def _samples(
    rng: random.Random,
    metrics: Sequence[Metric],
    centres: Mapping[str, float],
    blocks: int,
    noise: float,
) -> list[Sample]:
    def one(block: int, **more: object) -> Sample:
        values = {
            m.name: centres[m.name] * rng.gauss(1, noise)
            if m.scale == "ratio"
            else centres[m.name] + rng.gauss(0, noise)
            for m in metrics
        }
        return Sample(block, 0, values, float(block), 0.1, {"steal": 0.0}, **more)  # type: ignore[arg-type]

    why = ("the hypervisor took 5.0% of the CPU time",)
    samples = [one(block, disturbances=why if block == 1 else ()) for block in range(blocks)]
    samples.insert(3, one(2, disturbances=why, replaced=True))
    return samples


def unsupported(run: Run, experiment: str, params: Mapping[str, Value], **more: str) -> CaseResult:
    reason = more.pop("reason", "this kernel has no IPVS")
    return CaseResult(
        Case(experiment, dict(params)), 0, "unsupported", reason, "use the guest lab: --lab guest"
    )


def routing_run(
    kernel: str = "6.1.0", id: str = "20260101-000000-0000", slower: float = 1.0
) -> Run:
    """Three modes, of which one is not supported, over four numbers of services."""
    run = a_run(
        {"service-routing": ROUTING},
        id=id,
        environments=[fingerprint("host", "wall", kernel)],
    )
    add_routing(run, slower)
    return run


def add_routing(run: Run, slower: float = 1.0, environment: Fingerprint | None = None) -> None:
    depth = {"first": 0.0, "middle": 0.5, "last": 1.0}
    for group, services in enumerate((1, 100, 1000, 5000)):
        for mode, position in product(
            ("iptables", "nftables"), ("first", "middle", "last", "none")
        ):
            if services == 1 and position in ("middle", "last"):
                continue
            cost = 30e-6 * slower
            if position != "none":
                cost += 2e-6 if mode == "nftables" else 1e-6 + 20e-9 * services * depth[position]
            if environment and environment.clock == "instructions":
                cost *= 3e9
            params = {"mode": mode, "services": services, "endpoints": 1, "position": position}
            run.cases.append(
                result(
                    run,
                    "service-routing",
                    params,
                    {"connect": cost},
                    group=group,
                    twin=(mode, position) == ("iptables", "first"),
                    environment=environment,
                )
            )
    for services in (1, 100):
        params = {"mode": "ipvs", "services": services, "endpoints": 1, "position": "first"}
        run.cases.append(unsupported(run, "service-routing", params))


def add_quota(run: Run, environment: Fingerprint | None = None) -> None:
    for group, period in enumerate((0.1, 0.01)):
        for controller, (quota, threads) in product(("v1", "v2"), ((0.2, 1), (0.5, 1), (1.5, 2))):
            params = {
                "controller": controller,
                "quota": quota,
                "period": period,
                "threads": threads,
            }
            rest = period * (1 - quota / threads)
            centres = {"error": 0.002 + 0.0001 / period, "throttled": 0.95, "stall": rest * 1.05}
            run.cases.append(
                result(
                    run,
                    "cpu-quota",
                    params,
                    centres,
                    group=100 + group,
                    twin=(controller, quota) == ("v1", 0.2),
                    environment=environment,
                )
            )


def add_pods(run: Run, environment: Fingerprint | None = None) -> None:
    for backend, share in (("host-gw", 1.0), ("vxlan", 0.8), ("ipip", 0.85)):
        for flows in (1, 4):
            centres = {"throughput": 1.2e9 * share * (1 + 0.1 * flows), "cpu_cost": 2e-10 / share}
            run.cases.append(
                result(
                    run,
                    "pod-network",
                    {"backend": backend, "flows": flows},
                    centres,
                    group=200 + flows,
                    twin=backend == "host-gw",
                    environment=environment,
                )
            )


def whole_run(kernel: str = "6.1.0", id: str = "20260101-000000-0000") -> Run:
    """All three experiments; pod-network has no figures of its own."""
    run = a_run(
        {"cpu-quota": QUOTA, "service-routing": ROUTING, "pod-network": POD},
        id=id,
        environments=[fingerprint("host", "wall", kernel)],
    )
    add_quota(run)
    add_routing(run)
    add_pods(run)
    return run
