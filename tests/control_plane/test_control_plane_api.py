"""What is read from an API server's bytes, and what the ledger says of it; no server is needed."""

import dataclasses
import random

import pytest

from cnbench.control_plane.api.decoder import ReplyDecoder
from cnbench.control_plane.api.figures import figures, total
from cnbench.control_plane.api.ledger import Account, Entry, account
from cnbench.core.errors import CnbenchError

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKS = (b'{"type":"ADDED"}\n', b"\r\n0\r\n", b"x" * 300)


def chunked(*chunks):
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)


def fed(data, sizes):
    decoder, read = ReplyDecoder(), b""
    while data:
        size = sizes()
        read += decoder.feed(data[:size])
        data = data[size:]
    return decoder, read


@pytest.mark.parametrize("seed", range(20))
def test_a_reply_is_read_the_same_however_it_is_cut(seed):
    data = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(*CHUNKS)
    pieces = random.Random(seed)
    decoder, read = fed(data, lambda: pieces.randint(1, 40))
    assert (decoder.status, decoder.ended, read) == (200, False, b"".join(CHUNKS))
    assert decoder.feed(b"0\r\n\r\n") == b""
    assert decoder.ended


def test_replies_of_a_known_length_follow_each_other():
    decoder = ReplyDecoder()
    assert decoder.feed(HEAD + b"Content-Length: 4\r\n\r\nbo") == b"bo"
    assert not decoder.ended
    assert decoder.feed(b"dy") == b"dy"
    assert decoder.ended
    decoder.next_reply()
    assert decoder.feed(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") == b""
    assert (decoder.status, decoder.ended) == (404, True)


@pytest.mark.parametrize("data", [b"SSH-2.0-OpenSSH\r\n\r\n", HEAD + b"\r\n"])
def test_what_is_no_reply_is_said(data):
    with pytest.raises(CnbenchError, match="no HTTP"):
        ReplyDecoder().feed(data)


WRITTEN = [Entry(version, f"object-{version % 3}", version, 0) for version in range(10, 20)]


def test_the_same_events_agree_whenever_they_came():
    assert account(WRITTEN, [dataclasses.replace(one, arrived=5) for one in WRITTEN]) == Account()


def changed(how):
    told = list(WRITTEN)
    how(told)
    return told


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (changed(lambda told: told.pop(3)), Account(lost=1)),
        (changed(lambda told: told.insert(4, told[3])), Account(twice=1)),
        (changed(lambda told: told.append(Entry(99, "a", 1, 0))), Account(unknown=1)),
        (changed(lambda told: told.reverse()), Account(disordered=9)),
        ([dataclasses.replace(WRITTEN[0], sequence=0), *WRITTEN[1:]], Account(lost=1, unknown=1)),
    ],
    ids=["lost", "twice", "unknown", "disordered", "another content"],
)
def test_every_kind_of_difference_is_found(told, expected):
    assert account(WRITTEN, told) == expected


def test_accounts_add_up():
    assert Account(1, 2, 3, 4) + Account(10, 20, 30, 40) == Account(11, 22, 33, 44)


METRICS = """# HELP seconds_count of something
seconds_count{operation="list",type="*core.ConfigMap"} 7
seconds_count{operation="get",type="a \\"quoted\\" type"} 2
seconds_count_more{operation="list"} 100
plain 1.5e+03
"""


def test_figures_are_read_by_name_and_labels():
    assert total(METRICS, "seconds_count") == 9
    assert total(METRICS, "seconds_count", lambda labels: labels["operation"] == "list") == 7
    assert list(figures(METRICS, "plain")) == [({}, 1500)]
    assert total(METRICS, "missing") == 0
