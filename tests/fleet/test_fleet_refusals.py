"""What a fleet refuses before anything is measured, and what it does with what is refused to it."""

import os
import socket
import sys

import pytest
from distributed import KilledWorker

from cnbench.cli.fleet.files import file_names
from cnbench.cli.main import main
from cnbench.core.errors import CnbenchError, UnsupportedError, UsageError
from cnbench.core.venue import HOST
from cnbench.experiments.registry import experiment_called
from cnbench.fleet import errands, spread
from cnbench.fleet.connecting import check_address, connected
from cnbench.measuring.events import CaseEnded, GroupEnded
from cnbench.measuring.plan import Plan, make_groups


@pytest.mark.parametrize("address", ["10.0.0.1:8786", "tcp://:8786", "tcp://host", "http://h:1"])
def test_only_a_named_scheduler_is_asked(address):
    with pytest.raises(UsageError, match="no scheduler's address"):
        check_address(address, None)


def test_tls_is_all_or_nothing():
    with pytest.raises(UsageError, match="do not go together"):
        check_address("tls://host:1", None)
    with pytest.raises(UsageError, match="do not go together"):
        check_address("tcp://host:1", object())


def test_a_scheduler_that_is_not_there_is_said(monkeypatch):
    monkeypatch.setattr("cnbench.fleet.connecting.SECONDS_TO_CONNECT", 0.2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(CnbenchError, match="no scheduler answers"), connected(address, None):
            pass


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["fleet", "run", "--scheduler", "tcp://h:1", "--jobs", "2"], "--jobs is of this machine"),
        (["fleet", "run", "cpu-quota", "--resume", "latest"], "--resume goes on"),
        (["fleet", "run", "--every-node", "--resume", "latest"], "--resume goes on"),
        (["fleet", "run", "--resume", "latest", "--services-from", __file__], "--resume goes on"),
        (["fleet", "run", "cpu-quota", "--services-from", __file__], "service-routing's"),
        (["fleet", "run", "cpu-quota", "--node", "a"], "are of a file's"),
        (["fleet", "worker", "h:1"], "no scheduler's address"),
        (["fleet", "worker", "tls://h:1", "--tls-cert", os.devnull], "TLS takes"),
    ],
)
def test_what_makes_no_sense_is_refused(argv, said, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["cnbench", *argv])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_without_dask_the_extra_is_named(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setattr(sys, "argv", ["cnbench", "fleet", "run", "cpu-quota"])
    with pytest.raises(SystemExit):
        main()
    assert "pip install 'cnbench[fleet]'" in capsys.readouterr().err


def test_two_nodes_with_one_file_are_refused():
    assert file_names(["a.b", "c d", "../e"]) == {"a.b": "a.b", "c d": "c_d", "../e": "_e"}
    with pytest.raises(UsageError, match="both be called a_b"):
        file_names(["a b", "a/b"])


def test_a_refusal_comes_as_what_it_was():
    line = '{"refused": {"kind": "UnsupportedError", "message": "no QEMU", "remedy": "apt-get"}}'
    with pytest.raises(UnsupportedError, match="no QEMU") as refused:
        list(errands._unless_refused(iter([line])))
    assert refused.value.remedy == "apt-get"
    other = '{"refused": {"kind": "CommandError", "message": "it failed", "remedy": ""}}'
    with pytest.raises(CnbenchError, match="it failed"):
        list(errands._unless_refused(iter([other])))


class Ended:
    """A future that has ended with ``error``."""

    def __init__(self, error):
        self.error = error

    def result(self):
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (KilledWorker("measure-1", None, 3), "failed", "every worker that measured it has ended"),
        (UnsupportedError("no QEMU", "apt-get"), "unsupported", "no QEMU"),
        (CnbenchError("the process that measured has ended with -9"), "failed", "ended with -9"),
    ],
)
def test_a_group_that_nobody_could_measure_is_a_result_with_a_reason(error, status, reason):
    experiment = experiment_called("cpu-quota")
    group = make_groups(experiment, HOST, experiment.grid(False, {}))[0]
    lane = spread._Lane(None, spread.Share(Plan((group,), 1.0, None, 1), print), [])
    *results, last = lane._results(Ended(error), group)
    assert all(isinstance(told, CaseEnded) for told in results)
    assert [told.result.case for told in results] == list(group.cases)
    assert {told.result.status for told in results} == {status}
    assert reason in results[0].result.reason
    assert last == GroupEnded(group.number)
