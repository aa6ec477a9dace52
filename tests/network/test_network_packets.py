"""Frames built by hand from the RFCs, read back."""

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnbench.probes import pcap
from cnbench.probes.packets import dissect, expected_bytes
from cnbench.probes.tap import Frame

POD, PEER = "10.32.0.2", "10.32.1.2"
NODE, OTHER = "192.168.1.11", "192.168.1.12"
TCP, UDP, IPIP, GRE = 6, 17, 4, 47


def ethernet(body, kind=0x0800):
    return bytes(12) + struct.pack("!H", kind) + body


def ipv4(protocol, body, source=POD, destination=PEER, ttl=63, fragment=0):
    addresses = socket.inet_aton(source) + socket.inet_aton(destination)
    return struct.pack(
        "!BBHHHBBH", 0x45, 0, 20 + len(body), 1, fragment, ttl, protocol, 0
    ) + addresses + body  # fmt: skip


def udp(body, port=9):
    return struct.pack("!HHHH", 40000, port, 8 + len(body), 0) + body


def tcp(body, options=12):
    return struct.pack("!HHIIBBHHH", 1, 2, 3, 4, (20 + options) // 4 << 4, 0, 5, 0, 0) + bytes(
        options
    ) + body  # fmt: skip


def outer(protocol, body, ttl=60):
    return ethernet(ipv4(protocol, body, NODE, OTHER, ttl))


INNER = ipv4(TCP, tcp(b"12345"))
FRAMES = {
    "plain": ethernet(ipv4(TCP, tcp(b"12345"), ttl=60)),
    "vxlan": outer(UDP, udp(bytes(8) + ethernet(INNER), 8472)),
    "ipip": outer(IPIP, INNER),
    "gre": outer(GRE, struct.pack("!HH", 0, 0x0800) + INNER),
    "geneve": outer(UDP, udp(b"\x01" + bytes(7) + bytes(4) + ethernet(INNER), 6081)),
}


@pytest.mark.parametrize("name", FRAMES)
def test_the_inner_packet_and_the_outer_ttl_are_read(name):
    packet = dissect(FRAMES[name])
    assert packet.encapsulation == name
    assert (packet.source, packet.destination) == (POD, PEER)
    assert packet.ttl == 60
    assert packet.protocol == TCP
    assert packet.payload == 5


def test_gre_with_a_key_and_a_checksum():
    frame = outer(GRE, struct.pack("!HH", 0x8000 | 0x2000, 0x0800) + bytes(8) + INNER)
    assert dissect(frame).payload == 5


def test_wireguard_is_opaque():
    packet = dissect(outer(UDP, udp(b"\x04" + bytes(95), 51820)))
    assert (packet.encapsulation, packet.source, packet.payload) == ("wireguard", NODE, 64)


@pytest.mark.parametrize("message", [b"\x01" + bytes(147), b"\x04" + bytes(31)])
def test_wireguards_handshakes_and_keepalives_carry_nothing(message):
    assert dissect(outer(UDP, udp(message, 51820))).payload == 0


def test_a_later_fragment_is_all_payload():
    later = dissect(ethernet(ipv4(UDP, bytes(1480), fragment=185)))
    assert (later.encapsulation, later.payload) == ("plain", 1480)


def test_what_is_not_ipv4_is_none():
    assert dissect(ethernet(bytes(28), 0x0806)) is None


@given(st.binary(max_size=120))
def test_no_frame_is_too_odd(frame):
    dissect(frame)


@given(st.sampled_from(sorted(FRAMES)), st.integers(0, 100))
def test_a_frame_cut_anywhere_is_read_or_refused(name, cut):
    packet = dissect(FRAMES[name][:cut])
    assert packet is None or packet.encapsulation in (name, "plain")


def test_expected_bytes_of_one_full_tcp_segment():
    # MTU 1500: 1448 B of payload, 52 B of headers with timestamps, 14 B of Ethernet.
    assert expected_bytes(1448, "tcp", 1500, 0) == 1514
    assert expected_bytes(1449, "tcp", 1500, 0) == 1515 + 66


def test_expected_bytes_of_encapsulated_messages():
    # By hand: 64 KiB in segments of 1398 B is 47 of them, each with 52 + 14 + 50 B around it.
    assert expected_bytes(65536, "tcp", 1450, 50) == 65536 + 47 * 116
    assert expected_bytes(65536, "tcp", 1480, 20) == 65536 + 46 * 86


def test_expected_bytes_of_packets_that_are_padded():
    # One byte with 52 B of headers is padded to 64 B; a full packet is as long as the MTU at most.
    assert expected_bytes(1, "tcp", 1420, 60, padded_to=16) == 64 + 60 + 14
    assert expected_bytes(1368, "tcp", 1420, 60, padded_to=16) == 1420 + 60 + 14


def test_expected_bytes_of_datagrams():
    assert expected_bytes(1472, "udp", 1500, 0) == 1514
    # One byte more, and the datagram leaves in two fragments: 1480 B and 1 B.
    assert expected_bytes(1473, "udp", 1500, 0) == 1481 + 2 * 34


@given(
    st.integers(1, 65507), st.sampled_from(["tcp", "udp"]), st.integers(576, 9000),
    st.integers(0, 80),
)  # fmt: skip
def test_expected_bytes_grow_with_the_overhead_by_a_whole_number_of_packets(
    size, protocol, mtu, overhead
):
    plain = expected_bytes(size, protocol, mtu, 0)
    assert plain > size
    more = expected_bytes(size, protocol, mtu, overhead) - plain
    assert more % overhead == 0 if overhead else more == 0


def test_a_capture_has_the_headers_of_the_format():
    frame = Frame(seconds=10, nanoseconds=20, length=1514, data=b"abc")
    text = pcap.encode([frame, frame])
    magic, major, minor, _, _, _, link = struct.unpack_from("<IHHiIII", text)
    assert (magic, major, minor, link) == (0xA1B23C4D, 2, 4, 1)
    assert struct.unpack_from("<IIII", text, 24) == (10, 20, 3, 1514)
    assert text[40:43] == b"abc"
    assert len(text) == 24 + 2 * (16 + 3)
