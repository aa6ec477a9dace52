"""Captures: the first packets of a case, kept beside its run file."""

import base64
import json
import struct

import pytest
from click.testing import CliRunner

from cnbench.cli.measure import run as run_command
from cnbench.core.case import Case
from cnbench.core.errors import UsageError
from cnbench.measuring.events import Captured, Warned
from cnbench.measuring.guests.messages import encode_event, event_from_plain
from cnbench.store.captures import CaptureFolder, file_name

CASE = Case(
    "pod-network", {"backend": "host-gw", "rate": 1.5, "size": 1400}, "guest", "wall", "sid"
)


def captured(packets=b"\xd4\xc3", case=CASE):
    return Captured(case, base64.b64encode(packets).decode())


def test_a_capture_passes_from_a_guest_to_a_file(tmp_path):
    folder = CaptureFolder(tmp_path / "run.captures")
    folder.listen(event_from_plain(json.loads(encode_event(captured()))))
    folder.listen(Warned("something else"))
    name = "pod-network-guest-wall-sid-host-gw-1.5-1400.pcap"
    assert (tmp_path / "run.captures" / name).read_bytes() == b"\xd4\xc3"
    assert folder.kept == 1


def test_a_file_of_a_kernel_makes_no_path():
    name = file_name(Case("pod-network", {"backend": "x" * 300}, "guest", "wall", "../vmlinuz"))
    assert "/" not in name
    assert len(name) < 256


def test_what_cannot_be_written_is_said_with_a_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file") as caught:
        CaptureFolder(tmp_path / "file" / "captures").listen(captured())
    assert "-o" in caught.value.remedy


@pytest.mark.real
def test_ten_packets_of_a_case_are_kept_on_request(netlab, tmp_path):
    arguments = ["pod-network", "-p", "backend=vxlan", "-p", "traffic=udp-rr", "-p", "messages=20"]
    output = tmp_path / "run.json"
    options = ["--lab", "host", "--budget", "0.1s", "-o", str(output), "--keep-capture", "--json"]
    done = CliRunner().invoke(run_command.command, [*arguments, *options])
    assert "Captures of 1 case(s) are in" in done.stderr
    (capture,) = (tmp_path / "run.captures").iterdir()
    content = capture.read_bytes()
    lengths, position = [], 24
    while position < len(content):
        kept, whole = struct.unpack_from("<II", content, position + 8)
        lengths.append(whole)
        position += 16 + kept
    # 1 B in UDP in IPv4 in Ethernet in VXLAN in UDP in IPv4 in Ethernet.
    assert lengths == [1 + 8 + 20 + 14 + 8 + 8 + 20 + 14] * 10
