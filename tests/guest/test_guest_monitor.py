import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cnbench.lab.guest.channel import Channel
from cnbench.lab.guest.errors import GuestError
from cnbench.lab.guest.monitor import Monitor

Answers = dict[str, list[dict[str, object]]]


@contextmanager
def qemu(answers: Answers) -> Iterator[tuple[Monitor, list[str]]]:
    """A monitor whose QEMU gives each command's answers in turn, the last for ever."""
    ours, theirs = socket.socketpair()
    asked: list[str] = []

    def serve() -> None:
        with theirs, theirs.makefile("rw") as stream:
            stream.write('{"QMP": {"version": {}}}\n')
            stream.flush()
            for line in stream:
                name = json.loads(line)["execute"]
                asked.append(name)
                known = answers.get(name, [{}])
                answer = known.pop(0) if len(known) > 1 else known[0]
                reply = answer if "error" in answer else {"return": answer}
                stream.write('{"event": "RESUME", "data": {}}\n' + json.dumps(reply) + "\n")
                stream.flush()

    server = threading.Thread(target=serve)
    server.start()
    try:
        with ours:
            monitor = Monitor(Channel(ours, "QEMU"))
            monitor.greet()
            yield monitor, asked
    finally:
        ours.close()
        server.join()


def test_a_restored_machine_is_told_to_go_on_only_once_it_is_paused() -> None:
    states: Answers = {
        "query-status": [{"status": "inmigrate"}, {"status": "inmigrate"}, {"status": "paused"}]
    }
    with qemu(states) as (monitor, asked):
        monitor.resume_restored()
        monitor.command("query-status")
    assert asked[1:] == ["query-status"] * 3 + ["cont", "query-status"]


def test_a_refusal_is_told_with_qemus_reason() -> None:
    refusal: Answers = {"stop": [{"error": {"class": "GenericError", "desc": "not now"}}]}
    with (
        qemu(refusal) as (monitor, _),
        pytest.raises(GuestError, match="QEMU refused stop: not now"),
    ):
        monitor.command("stop")


def test_a_state_that_is_not_read_is_an_error() -> None:
    broken: Answers = {"query-status": [{"status": "internal-error"}]}
    with qemu(broken) as (monitor, _), pytest.raises(GuestError, match="state was not transferred"):
        monitor.resume_restored()
