import socket
from collections.abc import Iterator

import pytest

from cnbench.lab.guest.channel import Channel, Closed, Silent
from cnbench.lab.guest.errors import GuestError


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours, "the guest"), theirs


def test_lines_that_come_in_pieces_and_together(ends: tuple[Channel, socket.socket]) -> None:
    channel, guest = ends
    guest.sendall(b'\n{"a": 1}\n\n{"b"')
    assert channel.receive(1) == {"a": 1}
    guest.sendall(b': 2}\n{"c": 3}\n')
    assert [channel.receive(1), channel.receive(1)] == [{"b": 2}, {"c": 3}]


def test_a_message_is_one_line(ends: tuple[Channel, socket.socket]) -> None:
    channel, guest = ends
    channel.send({"text": "two\nlines", "n": [1, 2]})
    assert guest.recv(1000) == b'{"text":"two\\nlines","n":[1,2]}\n'


def test_silence_is_told_with_its_length(ends: tuple[Channel, socket.socket]) -> None:
    channel, guest = ends
    guest.sendall(b'{"unfinished": ')
    with pytest.raises(Silent, match="the guest said nothing for 0 s"):
        channel.receive(0)


def test_an_end_is_told_after_what_came_before_it(ends: tuple[Channel, socket.socket]) -> None:
    channel, guest = ends
    guest.sendall(b'{"last": 1}\n')
    guest.close()
    assert channel.receive(1) == {"last": 1}
    with pytest.raises(Closed, match="the guest has gone"):
        channel.receive(1)
    with pytest.raises(Closed):
        channel.send({})


@pytest.mark.parametrize("line", [b"Traceback (most recent call last):", b"[1, 2]", b"\xff\xfe"])
def test_what_is_no_object_is_quoted(ends: tuple[Channel, socket.socket], line: bytes) -> None:
    channel, guest = ends
    guest.sendall(line + b"\n")
    with pytest.raises(GuestError, match="not JSON"):
        channel.receive(1)
