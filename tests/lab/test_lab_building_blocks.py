import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from cnbench.core.errors import CnbenchError, CommandError, UnsupportedError
from cnbench.lab import commands, netns
from cnbench.lab.cgroups.cpu import Controller, CpuGroup, find_controllers
from cnbench.lab.clock import Clock
from cnbench.lab.cpus import pinned
from cnbench.lab.host import Fixtures, open_lab
from cnbench.lab.processes import check_alive, running

PATIENCE = 60.0


def test_a_failed_tool_is_told_with_its_last_words():
    argv = [sys.executable, "-c", "import sys; print('one\\ntwo', file=sys.stderr); sys.exit(3)"]
    with pytest.raises(CommandError, match="exited with 3: two") as failure:
        commands.run(argv)
    assert failure.value.exit_status == 3
    assert failure.value.stderr == "one\ntwo\n"
    assert commands.run(argv, check=False).returncode == 3


def test_a_silent_failure_is_told_too():
    with pytest.raises(CommandError, match="it printed nothing on stderr"):
        commands.run(["false"])


def test_a_tool_is_fed_piece_by_piece_while_they_are_made():
    with tempfile.TemporaryDirectory() as folder:
        seen = Path(folder, "seen")

        def pieces():
            yield f"touch {seen}\n"
            deadline = time.monotonic() + PATIENCE
            while not seen.exists() and time.monotonic() < deadline:
                time.sleep(0.001)
            yield "echo read; echo unwell >&2\n"
            yield "exit 3\n" if seen.exists() else "exit 4\n"

        done = commands.run(["sh"], input=pieces(), check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "read\n", "unwell\n")


def test_a_tool_that_stops_reading_is_told_with_its_last_words():
    endless = ("a line that is not read\n" * 100 for _ in itertools.count())
    argv = ["sh", "-c", "read line; echo no more >&2; exit 2"]
    with pytest.raises(CommandError, match="exited with 2: no more"):
        commands.run(argv, input=endless)


def test_a_fed_tool_that_does_not_end_is_given_up():
    with pytest.raises(CommandError, match="it had not ended after 0 s"):
        commands.run(["sleep", "600"], input=iter(["unread"]), timeout=0.05)


def test_a_tool_whose_input_cannot_be_made_does_not_stay():
    def pieces():
        yield "exec sleep 600\n"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        commands.run(["sh"], input=pieces())


def test_a_tool_that_does_not_end_is_given_up():
    with pytest.raises(CommandError, match="it had not ended after 0 s"):
        commands.run(["sleep", "600"], timeout=0.01)


def test_tools_speak_english_and_read_what_they_are_given():
    program = "import os, sys; print(os.environ['LC_ALL'], os.environ['MINE'], sys.stdin.read())"
    done = commands.run([sys.executable, "-c", program], input="yes", environment={"MINE": "1"})
    assert done.stdout == "C 1 yes\n"


def test_nothing_goes_through_a_shell(tmp_path):
    commands.run(["echo", f"; touch {tmp_path}/made", "$(touch made)", "*"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("tool", "package"),
    [("nft", "nftables"), ("iptables-nft-restore", "iptables"), ("mkfs.xfs", "xfsprogs"),
     ("ipvsadm", "ipvsadm"), ("frobnicate", "frobnicate")],
)  # fmt: skip
def test_a_missing_tool_names_its_package(monkeypatch, tmp_path, tool, package):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(commands, "_SYSTEM_FOLDERS", (str(tmp_path),))
    assert commands.find(tool) is None
    with pytest.raises(UnsupportedError, match=f"{tool} is not installed") as refusal:
        commands.run([tool])
    assert refusal.value.remedy == f"apt-get install {package}"


def test_a_tool_outside_path_is_found_in_the_system_folders(monkeypatch, tmp_path):
    (tmp_path / "mytool").write_text("#!/bin/sh\n")
    (tmp_path / "mytool").chmod(0o755)
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(commands, "_SYSTEM_FOLDERS", (str(tmp_path),))
    assert commands.require("mytool") == str(tmp_path / "mytool")


def test_a_process_ends_with_its_context():
    with running(["sleep", "600"]) as process:
        check_alive(["sleep"], process)
    assert process.returncode == -signal.SIGKILL


def test_a_process_that_ended_by_itself_is_told_with_its_last_words():
    argv = [sys.executable, "-c", "import sys; sys.exit('out of spins')"]
    with running(argv) as process:
        process.wait(timeout=PATIENCE)
        with pytest.raises(CommandError, match="out of spins"):
            check_alive(argv, process)


def test_a_process_dies_with_the_run_however_that_dies():
    program = (
        "import sys, time\n"
        "from cnbench.lab.processes import running\n"
        "with running(['sleep', '600']) as process:\n"
        "    print(process.pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as owner:
        pid = int(owner.stdout.readline())
        # setpriv asks for the signal before it becomes the command.
        give_up = time.monotonic() + PATIENCE
        while Path(f"/proc/{pid}/comm").read_text() != "sleep\n" and time.monotonic() < give_up:
            time.sleep(0.005)
        owner.kill()
        owner.wait()
    while Path(f"/proc/{pid}").exists() and time.monotonic() < give_up:
        with contextlib.suppress(FileNotFoundError):
            if ") Z " in Path(f"/proc/{pid}/stat").read_text():
                break
        time.sleep(0.005)
    else:
        assert not Path(f"/proc/{pid}").exists()


def test_ctrl_c_in_a_terminal_does_not_reach_a_process():
    with running(["sleep", "600"]) as process:
        assert os.getpgid(process.pid) != os.getpgid(0)


def test_fixtures_are_made_once_and_taken_down_last_made_first():
    diary = []

    @contextlib.contextmanager
    def thing(name):
        diary.append(f"make {name}")
        yield name
        diary.append(f"remove {name}")

    fixtures = Fixtures()
    for name in ("a", "b", "a"):
        assert fixtures.get(name, lambda name=name: thing(name)) == name
    fixtures.close()
    assert diary == ["make a", "make b", "remove b", "remove a"]
    fixtures.get("a", lambda: thing("a"))
    assert diary[-1] == "make a"  # a fixture that was closed is made anew


def test_a_lab_has_a_folder_of_its_own_and_takes_it_along(tmp_path):
    with open_lab("host", "wall", tmp_path / "journals") as lab:
        assert lab.folder.stat().st_mode & 0o777 == 0o700
        (lab.folder / "file").write_text("")
    assert not lab.folder.exists()
    assert list((tmp_path / "journals").iterdir()) == []


def test_pinning_is_undone():
    before = os.sched_getaffinity(0)
    with contextlib.suppress(ZeroDivisionError), pinned() as cpu:
        assert os.sched_getaffinity(0) == {cpu}
        raise ZeroDivisionError
    assert os.sched_getaffinity(0) == before


def test_a_tick_is_a_nanosecond_or_an_instruction():
    assert Clock("wall").units(2_000_000_000) == 2
    assert Clock("instructions").units(2_000_000_000) == 2e9


@pytest.mark.parametrize(
    ("mounts", "versions"),
    [
        ("", {}),
        ("cgroup /c/cpu cgroup rw,cpu,cpuacct 0 0", {"v1": ("/c/cpu", "/c/cpu")}),
        (
            "cgroup /c/cpu cgroup rw,cpu 0 0\ncgroup /c/acct cgroup rw,cpuacct 0 0",
            {"v1": ("/c/cpu", "/c/acct")},
        ),
        ("cgroup /c/cpu cgroup rw,cpu 0 0", {}),  # nothing accounts for it
        ("cgroup /c/mem cgroup rw,memory 0 0\nproc /proc proc rw 0 0", {}),
    ],
)
def test_controllers_are_found_where_they_are_mounted(mounts, versions):
    found = {v: (str(c.cpu), str(c.cpuacct)) for v, c in find_controllers(mounts).items()}
    assert found == versions


@pytest.mark.parametrize(("controllers", "there"), [("cpuset cpu io", True), ("cpuset io", False)])
def test_a_unified_hierarchy_counts_if_it_has_the_controller(tmp_path, controllers, there):
    (tmp_path / "cgroup.controllers").write_text(controllers)
    found = find_controllers(f"cgroup2 {tmp_path} cgroup2 rw,relatime 0 0")
    assert ("v2" in found) is there


@pytest.fixture
def namespaces(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    with open_lab("host", "wall", tmp_path / "journals") as lab:
        try:
            with lab.network_namespace("one") as one, lab.network_namespace("other") as other:
                yield one, other
        except UnsupportedError as missing:
            pytest.skip(str(missing))


@pytest.mark.real
def test_two_namespaces_talk_and_the_host_hears_nothing(namespaces):
    one, other = namespaces
    before = {name for _, name in socket.if_nameindex()}
    netns.join(one, "eth0", other, "eth0")
    netns.address(one, "eth0", "192.0.2.1/24")
    netns.address(other, "eth0", "192.0.2.2/24")
    with other.entered():
        server = socket.create_server(("192.0.2.2", 7), backlog=1)
    with server, one.entered():
        socket.create_connection(("192.0.2.2", 7), timeout=PATIENCE).close()
    assert {name for _, name in socket.if_nameindex()} == before
    with one.entered():
        assert {name for _, name in socket.if_nameindex()} >= {"lo", "eth0"}


@pytest.mark.real
def test_a_namespace_is_left_also_by_an_error(namespaces):
    here = Path("/proc/thread-self/ns/net").readlink()
    with contextlib.suppress(ZeroDivisionError), namespaces[0].entered():
        assert Path("/proc/thread-self/ns/net").readlink() != here
        raise ZeroDivisionError
    assert Path("/proc/thread-self/ns/net").readlink() == here


@pytest.mark.real
def test_a_sysctl_is_set_inside_alone_and_read_back(namespaces):
    one, _ = namespaces
    path = Path("/proc/sys/net/ipv4/ip_forward")
    host = path.read_text()
    value = 0 if host.strip() == "1" else 1
    assert one.sysctl("net.ipv4.ip_forward", value) == str(value)
    assert path.read_text() == host
    with pytest.raises(CnbenchError, match=r"sysctl net\.ipv4\.nonsense=1 in one"):
        one.sysctl("net.ipv4.nonsense", 1)


@pytest.mark.real
def test_tools_run_inside(namespaces):
    one, _ = namespaces
    inside = one.run(["readlink", "/proc/self/ns/net"]).stdout.strip()
    assert inside != str(Path("/proc/self/ns/net").readlink())
    with pytest.raises(CommandError):
        one.run(["false"])


def test_without_permission_a_namespace_says_what_to_do(monkeypatch):
    def refuse(flags):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("cnbench.lab.libc.unshare", refuse)
    with (
        pytest.raises(UnsupportedError, match="cannot be made: Operation not permitted") as refusal,
        netns.open_netns("one", {}),
    ):
        pass
    assert "run as root" in refusal.value.remedy


@pytest.mark.parametrize(
    ("version", "files", "limit"),
    [
        ("v1", {"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"}, (-1, 100_000)),
        ("v1", {"cpu.cfs_quota_us": "2000\n", "cpu.cfs_period_us": "10000\n"}, (2000, 10_000)),
        ("v2", {"cpu.max": "max 100000\n"}, (-1, 100_000)),
        ("v2", {"cpu.max": "2000 10000\n"}, (2000, 10_000)),
    ],
)
def test_a_group_without_a_limit_reads_alike_in_both_versions(tmp_path, version, files, limit):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert CpuGroup(Controller(version, tmp_path, tmp_path)).read_limit() == limit
