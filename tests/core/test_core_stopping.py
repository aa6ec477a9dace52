"""Being asked to stop, in processes of their own: signals are a process's."""

import signal
import subprocess
import sys

import pytest

# A weakref's callback in which the signal comes, as it did in 2 of 61 signalled runs.
IN_A_CALLBACK = """
class Thing: pass
def callback(_): signal.raise_signal(signal.SIGINT)
thing = Thing()
reference = weakref.ref(thing, callback)
del thing
"""
WHILE_TAKING_DOWN = """
@contextlib.contextmanager
def made():
    try:
        yield
    finally:
        signal.raise_signal(signal.SIGTERM)
        time.sleep(0.1)
        print("taken down", flush=True)
with made():
    pass
"""
BETWEEN_TWO_TAKE_DOWNS = """
with contextlib.ExitStack() as stack:
    stack.callback(print, "second", flush=True)
    stack.callback(signal.raise_signal, signal.SIGTERM)
"""
HELD = """
with stopping.held():
    signal.raise_signal(signal.SIGHUP)
    print("held", flush=True)
"""
ONCE = """
try:
    signal.raise_signal(signal.SIGHUP)
except KeyboardInterrupt:
    signal.raise_signal(signal.SIGINT)
    time.sleep(0.1)
    print("concluded", flush=True)
    stopping.check()
"""
WAITING = "time.sleep(60); print('never stopped', flush=True)"


def run(body, before=""):
    lines = "".join(f"    {line}\n" for line in [*body.splitlines(), WAITING])
    program = (
        "import contextlib, signal, sys, time, weakref\nfrom cnbench.core import stopping\n"
        f"{before}\ntry:\n  with stopping.listening():\n{lines}"
        "except KeyboardInterrupt: print('stopped', flush=True)"
    )
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=True,
        preexec_fn=_no_hangup_ignored,
    )  # fmt: skip


def _no_hangup_ignored():
    """As nohup has it, if it began the tests."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (IN_A_CALLBACK, ["stopped"]),
        (WHILE_TAKING_DOWN, ["taken down", "stopped"]),
        (BETWEEN_TWO_TAKE_DOWNS, ["second", "stopped"]),
        (HELD, ["held", "stopped"]),
        (ONCE, ["concluded", "stopped"]),
    ],
    ids=["in a callback", "in a take-down", "between take-downs", "held", "once"],
)
def test_a_signal_is_never_lost_and_cuts_no_take_down_short(body, said):
    done = run(body)
    assert done.stdout.split("\n")[:-1] == said
    assert done.stderr == ""


def test_nohup_is_obeyed():
    body = f"signal.raise_signal({int(signal.SIGHUP)}); print('goes on'); sys.exit()"
    done = run(body, before="signal.signal(signal.SIGHUP, signal.SIG_IGN)")
    assert done.stdout == "goes on\n"


def test_where_nobody_listens_nothing_is_asked():
    from cnbench.core import stopping

    stopping.check()
    with stopping.held():
        pass
