"""container-start against the real kernel and the real runtimes."""

import dataclasses

import pytest
from subjects import subject_at

from cnbench.containers.bundle import Wanted
from cnbench.containers.runtimes import Bare, Oci
from cnbench.containers.system_calls import system_calls, total
from cnbench.core.errors import CnbenchError, CommandError, UnsupportedError
from cnbench.experiments.container_start import EXPERIMENT
from cnbench.experiments.container_start.grid import RUNTIMES, TOGETHER, nonsense
from cnbench.lab import commands

pytestmark = pytest.mark.real

QUICK = EXPERIMENT.grid(False, {"runtime": ("bare",)})[0]
OTHERS = (
    *({"runtime": name, "network": "none"} for name in RUNTIMES[:4]),
    *({"runtime": name, "seccomp": "on"} for name in RUNTIMES),
    *({"runtime": name, "mounts": 3} for name in RUNTIMES),
    *({"runtime": name, "user": "on", "network": "none"} for name in RUNTIMES[:4]),
    *({"runtime": name, "alive": 2} for name in RUNTIMES),
    *({"runtime": name, "parallel": 3} for name in TOGETHER),
    {"runtime": "containerd-api", "network": "none"},
    *({"runtime": "containerd-api", "snapshotter": name} for name in ("overlayfs", "native")),
    {"runtime": "containerd-api", "snapshotter": "overlayfs", "layers": 5},
    *({"runtime": name, "layers": 5} for name in ("cri", "dockerd", "docker-run")),
    {"runtime": "cri", "network": "bridge"},
    *({"runtime": name, "network": "none"} for name in ("dockerd", "docker-run")),
)


def opened(lab, **changes):
    point = QUICK | changes
    assert nonsense(point) == ""
    return subject_at(EXPERIMENT, point, lab)


@pytest.mark.parametrize(
    "changes", [{"runtime": name} for name in RUNTIMES] + list(OTHERS),
    ids=lambda changes: "-".join(f"{name}={value}" for name, value in changes.items()),
)  # fmt: skip
def test_every_runtime_starts_what_was_asked_for(shared_lab, changes):
    with opened(shared_lab, **changes) as subject:
        values = subject.sample()
        assert subject.sample().keys() == values.keys()
        assert subject.proof().holds, subject.proof().broken
    for metric, value in values.items():
        EXPERIMENT.metric(metric).check(value)
    assert values["start"] > 0
    assert ("sandbox" in values) == (changes["runtime"] == "cri")
    assert (values["tasks"] == 1) == (changes["runtime"] == "bare")


@pytest.mark.parametrize(
    ("has", "claim"),
    [
        (Wanted(), "seccomp's mode"),
        (Wanted(network="none", seccomp=True, mounts=1), "its own namespaces"),
        (Wanted(seccomp=True), "bind mounts beyond them"),
    ],
)
@pytest.mark.parametrize("kind", ["bare", "runc"])
def test_a_container_that_has_not_what_it_was_to_have_is_no_proof(shared_lab, has, claim, kind):
    with opened(shared_lab, runtime=kind) as subject:
        subject.evidence.wanted = Wanted(seccomp=True, mounts=1)
        subject.runtime = dataclasses.replace(subject.runtime, wanted=has)
        subject.sample()
        assert claim in [check.claim for check in subject.proof().broken]


def test_runc_makes_more_system_calls_than_the_kernel_needs(enclave, files):
    calls = {}
    for runtime in (Bare(files, Wanted(), enclave), Oci(files, Wanted(), enclave, "runc")):
        try:
            commands.require("strace")
            commands.require("runc")
        except UnsupportedError as error:
            pytest.skip(f"{error}; {error.remedy}")
        calls[type(runtime)] = system_calls(runtime)
        # Go's own calls are more or fewer by a hundred: it waits, and is woken, on a busy machine.
        more = dataclasses.replace(runtime, wanted=Wanted(mounts=100))
        assert system_calls(more) >= calls[type(runtime)] + 100
    assert 20 < calls[Bare] < 100 < calls[Oci]


def test_a_summary_without_calls_is_an_error():
    assert total("  5 read\n----\n 12 total\n") == 12
    with pytest.raises(CnbenchError, match="counted nothing"):
        total("strace: exec: no such file")


def test_a_root_of_other_layers_is_no_proof(shared_lab):
    with opened(shared_lab, runtime="containerd-api", snapshotter="overlayfs") as subject:
        subject.evidence.overlaid = 2
        subject.sample()
        assert [check.claim for check in subject.proof().broken] == ["layers below its root"]


def test_what_is_left_is_no_proof(lab):
    with opened(lab, runtime="bare") as subject:
        stopped = subject.runtime.stop
        subject.runtime = _Careless(subject.runtime)
        subject.sample()
        broken = {check.claim: check.observed for check in subject.proof().broken}
        stopped(subject.runtime.started)
    assert "process" in broken["nothing is left of it"]
    assert "container-" in broken["nothing is left of it"]


class _Careless:
    """A runtime that says it has stopped a container, and has not."""

    def __init__(self, runtime):
        self.runtime = runtime
        self.state = runtime.state

    def start(self):
        self.started = self.runtime.start()
        return self.started

    def stop(self, started):
        return 1


def test_a_program_runs_after_start_and_not_after_create(enclave, files):
    try:
        runtime = Oci(files, Wanted(), enclave, "runc")
        started = runtime.start()
    except UnsupportedError as error:
        pytest.skip(f"{error}; {error.remedy}")
    first = enclave.first_instruction(started.pid)
    assert started.began + started.steps["create"] < first
    runtime.stop(started)


def test_containers_bare_and_by_runc_have_the_same_mounts(enclave, files):
    seen = {}
    for name, runtime in {
        "bare": Bare(files, Wanted(mounts=2), enclave),
        "runc": Oci(files, Wanted(mounts=2), enclave, "runc"),
    }.items():
        try:
            started = runtime.start()
        except UnsupportedError as error:
            pytest.skip(f"{error}; {error.remedy}")
        enclave.first_instruction(started.pid)
        lines = enclave.do("look", started.pid)["mounts"]
        seen[name] = [(line.split()[4], line.split(" - ")[1].split()[0]) for line in lines]
        runtime.stop(started)
    assert seen["bare"] == seen["runc"]


def test_what_a_runtime_refuses_is_told_in_its_words(enclave, files):
    runtime = Oci(files, Wanted(), enclave, "runc")
    try:
        with pytest.raises(CommandError, match="does not exist"):
            runtime.state(dataclasses.replace(_nobody(), name="nobody"))
    except UnsupportedError as error:
        pytest.skip(f"{error}; {error.remedy}")


def _nobody():
    from cnbench.containers.runtimes import Started

    return Started("", 0, 0, {})


@pytest.mark.parametrize("kind", ["cri", "containerd-api"])
def test_calls_that_are_made_at_once_go_on_beside_each_other(shared_lab, kind):
    with opened(shared_lab, runtime=kind, parallel=4) as subject:
        everyone = subject.runtime.start_together(4)
        first = "sandbox" if kind == "cri" else "create"
        began = [started.began for started in everyone]
        assert max(began) < min(one.began + one.steps[first] for one in everyone)
        assert len({started.pid for started in everyone}) == 4
        for started in everyone:
            subject.runtime.stop(started)


def test_one_of_several_calls_that_is_refused_says_why(shared_lab):
    with opened(shared_lab, runtime="cri") as subject:
        asked = [{"container_id": name} for name in ("nobody", "nobody-else")]
        with pytest.raises(CnbenchError, match=r"StartContainer: NOT_FOUND"):
            subject.runtime.cri.each("StartContainer", asked)
        subject.sample()
