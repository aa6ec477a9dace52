"""Whose time a start's is, and when calls were unanswered, from bytes and times made up here."""

import socket
import struct
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from traced.layers import at_work, length, own_times
from traced.processes import Lives
from traced.relay import Http1, Http2, open_relay


def test_each_moment_belongs_to_the_innermost_layer():
    runc, containerd, dockerd = [(30, 40), (50, 60)], [(20, 45), (48, 62)], [(5, 15), (18, 70)]
    assert own_times((0, 100), [runc, containerd, dockerd]) == [20, 19, 23, 38]


def test_own_times_together_are_the_whole():
    own = own_times((10, 90), [[(0, 20), (15, 30)], [(25, 50)], []])
    assert own == [20, 20, 0, 40]


@pytest.mark.parametrize(
    ("spans", "covered"),
    [([], 0), ([(0, 5)], 0), ([(5, 15), (12, 18)], 8), ([(0, 99)], 10), ([(12, 13), (11, 14)], 3)],
)
def test_what_spans_cover_is_counted_once_and_clipped(spans, covered):
    assert length(spans, (10, 20)) == covered


def test_the_last_command_of_a_start_is_at_work_until_the_program_is():
    assert at_work([(1, 2), (12, 14), (16, 17), (25, 26)], (10, 20)) == [(12, 14), (16, 20)]
    assert at_work([], (10, 20)) == []


def test_calls_of_http_1_end_with_their_last_byte():
    listener = Http1()
    for who, when in (("asked", 10), ("asked", 11), ("answered", 15), ("answered", 17),
                      ("asked", 20), ("answered", 30), ("asked", 40)):  # fmt: skip
        getattr(listener, who)(b"...", when)
    assert listener.calls() == [(10, 17), (20, 30)]


def frame(kind, flags, stream, payload=b"xyz"):
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(
        "!I", stream
    ) + payload  # fmt: skip


@pytest.mark.parametrize("cut", [1, 5, 1000])
def test_calls_of_http_2_are_told_apart_by_their_streams(cut):
    listener = Http2()
    asked = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0) + frame(1, 4, 1) + frame(0, 1, 1)
    for at in range(0, len(asked), cut):
        listener.asked(asked[at : at + cut], 10)
    listener.asked(frame(1, 4, 3), 12)
    listener.answered(frame(1, 4, 1) + frame(0, 0, 3), 15)  # headers, data: not the last
    assert listener.calls() == []
    listener.answered(frame(1, 5, 3), 20)
    listener.answered(frame(3, 0, 1), 30)
    assert listener.calls() == [(12, 20), (10, 30)]


def test_a_relay_passes_on_both_ways_and_times_the_call(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "to"))
        server.listen()

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.sendall(connection.recv(100).upper())

        threading.Thread(target=serve, daemon=True).start()
        with (
            open_relay(tmp_path / "at", tmp_path / "to", Http1) as relay,
            socket.socket(socket.AF_UNIX) as client,
        ):
            client.connect(str(tmp_path / "at"))
            client.sendall(b"hello")
            assert client.recv(100) == b"HELLO"
            assert client.recv(100) == b""
        (call,) = relay.calls(0, 1 << 62)
        assert call[0] <= call[1]
        assert relay.calls(call[0], call[1] - 1) == relay.calls(call[1] + 1, 1 << 62) == []


def test_a_program_that_goes_on_is_found_by_its_name():
    lives = Lives(begun={3: ("sleep", 5), 4: ("sleep", 9), 6: ("other", 11)})
    assert lives.begun_last("sleep") == 9
    with pytest.raises(ValueError, match="empty"):
        lives.begun_last("nobody")
