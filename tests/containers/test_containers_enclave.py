"""An enclave: what lives in it ends with it, and nothing outside sees it."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from cnbench.containers.bundle import Wanted
from cnbench.containers.containerd import open_containerd
from cnbench.containers.dockerd import open_dockerd
from cnbench.containers.enclave import open_enclave
from cnbench.containers.runtimes import Bare
from cnbench.core.errors import CnbenchError, CommandError, UnsupportedError
from cnbench.lab.host import open_lab

pytestmark = pytest.mark.real


def everywhere():
    return {path.name for path in Path("/proc").glob("[0-9]*")}


def test_daemons_end_with_their_enclave_wherever_they_went(lab):
    with open_enclave(lab) as enclave:
        log = str(enclave.folder / "log")
        enclave.do("serve", ["/bin/sh", "-c", "setsid sleep 600 & exec env -i sleep 601"], log, {})
        time.sleep(0.1)
        lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
        assert {"sleep 600", "sleep 601"} <= set(lines.splitlines())
    lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert not {"sleep 600", "sleep 601"} & set(lines.splitlines())


@pytest.mark.parametrize("folder", ["/run", "/var/lib", "/var/log"])
def test_what_is_written_in_an_enclave_is_not_written_here(enclave, folder):
    enclave.run("sh", "-c", f"echo here > {folder}/cnbench-was-here && mount")
    assert enclave.do("read", f"{folder}/cnbench-was-here") == "here\n"
    assert not Path(folder, "cnbench-was-here").exists()


def test_a_folder_below_what_is_hidden_stays_in_sight(lab, tmp_path):
    with open_enclave(lab) as enclave:
        (enclave.folder / "given").write_text("given")
        assert enclave.do("read", str(enclave.folder / "given")) == "given"


def test_devices_made_on_an_enclave_are_not_here(enclave):
    enclave.run("ip", "link", "add", "seen", "type", "bridge")
    assert "seen" in enclave.run("ip", "link").output
    assert not Path("/sys/class/net/seen").exists()
    assert (
        "state UP" in enclave.run("ip", "addr").output
        or "LOOPBACK,UP" in enclave.run("ip", "addr").output
    )


def test_a_command_that_fails_says_what_it_said(enclave):
    with pytest.raises(CommandError, match="no-such-file") as raised:
        enclave.run("cat", "/no-such-file")
    assert raised.value.argv[0] == "cat"


def test_a_task_that_fails_leaves_the_enclave_usable(enclave):
    with pytest.raises(CnbenchError, match="No such file"):
        enclave.do("read", "/no-such-file")
    assert enclave.run("echo", "still here").output == "still here\n"


def test_an_enclave_whose_first_process_was_killed_says_so(enclave):
    enclave.do("serve", ["/bin/sh", "-c", "kill -9 1"], str(enclave.folder / "log"), {})
    with pytest.raises(CnbenchError, match=r"killed, or ended") as raised:  # noqa: PT012
        # A process of a namespace cannot kill its first: that only the outside can.
        outside = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        for pid in outside:
            os.kill(int(pid), 9)
        for _ in range(50):
            enclave.run("true")
            time.sleep(0.02)
    assert "enclave" in str(raised.value)


def test_the_kernels_refusal_of_a_call_names_the_call(enclave, files):
    runtime = Bare(files, Wanted(), enclave)
    (files.root / "bin" / "first-process").unlink()
    with pytest.raises(CnbenchError, match="execve: No such file"):
        runtime.start()


def test_a_call_of_the_maker_that_fails_makes_no_process(enclave, files):
    for group in enclave.groups_of("taken"):
        group.mkdir()
    enclave.new_name = lambda: "taken"
    before = everywhere()
    with pytest.raises(CnbenchError, match="mkdir: File exists"):
        Bare(files, Wanted(), enclave).start()
    assert not enclave.do("processes_of", [2, 3, 4])
    assert len(everywhere() - before) < 5


@pytest.mark.parametrize("open_daemon", [open_containerd, open_dockerd])
def test_a_daemon_answers_however_deep_the_runs_folder_is(open_daemon, tmp_path, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("containers need root")
    deep = tmp_path / ("deeper" * 20)  # than the 107 bytes that a socket's address may have
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with open_lab("host", "wall", tmp_path / "journals") as lab, open_enclave(lab) as enclave:
        assert str(enclave.folder).startswith(str(deep))
        try:
            with open_daemon(enclave) as daemon:
                assert enclave.outside(daemon.socket).is_socket()
        except UnsupportedError as error:
            pytest.skip(str(error))
