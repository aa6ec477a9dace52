import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnbench.lab.guest.agent import serving
from cnbench.lab.guest.channel import Channel

MODULES = {
    "talks": "import json, sys\n"
    "for line in sys.stdin:\n"
    "    print(json.dumps({'got': json.loads(line), 'argv': sys.argv}), flush=True)\n"
    "    break\n",
    "fails": "import sys\nprint('{\"half\"', end='', flush=True)\nraise ValueError('no rules')\n",
    "exits": "import sys\nsys.exit('a sentence')\n",
    "dies": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Channel]:
    """An agent that serves in a process of its own, as it does in a guest."""
    for name, source in MODULES.items():
        (tmp_path / f"{name}.py").write_text(source)
    ours, theirs = socket.socketpair()
    start = (
        "import sys; from pathlib import Path\n"
        "from cnbench.lab.guest.agent import running, serving\n"
        f"running.STDERR = Path({str(tmp_path / 'stderr')!r})\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        f"serving.serve({theirs.fileno()})\n"
    )
    process = subprocess.Popen([sys.executable, "-c", start], pass_fds=[theirs.fileno()])
    with ours, process:
        theirs.close()
        channel = Channel(ours, "the agent")
        assert channel.receive(30)["agent"] == "ready"
        yield channel
        ours.close()
        process.wait(30)


def test_a_module_talks_to_the_host_itself(served: Channel, tmp_path: Path) -> None:
    served.send({"do": "run", "module": "talks", "arguments": ["x"]})
    served.send({"plan": 1})
    assert served.receive(30) == {"got": {"plan": 1}, "argv": [str(tmp_path / "talks.py"), "x"]}
    assert served.receive(30) == {"agent": "ended", "status": 0, "stderr": ""}


def test_a_failure_is_told_after_an_unfinished_line(served: Channel) -> None:
    served.send({"do": "run", "module": "fails"})
    with pytest.raises(Exception, match="not JSON"):
        served.receive(30)
    ended = served.receive(30)
    assert ended["status"] == 1
    assert ended["stderr"].endswith("ValueError: no rules\n")


def test_exits_and_deaths(served: Channel) -> None:
    served.send({"do": "run", "module": "exits"})
    assert served.receive(30) == {"agent": "ended", "status": 1, "stderr": "a sentence\n"}
    served.send({"do": "run", "module": "dies"})
    assert served.receive(30)["status"] == -9


def test_what_cannot_be_done_is_answered(served: Channel) -> None:
    served.send({"do": "dance"})
    answer = served.receive(30)
    assert answer["agent"] == "failed"
    assert "dance" in answer["reason"]


def test_a_line_is_read_and_not_a_byte_more() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b'{"do": "run"}\n{"plan": 1}\n')
        assert json.loads(serving.read_line(theirs.fileno())) == {"do": "run"}
        assert theirs.recv(100) == b'{"plan": 1}\n'


def test_a_closed_channel_ends_the_agent() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.close()
        assert json.loads(serving.read_line(theirs.fileno())) == {"do": "off"}
