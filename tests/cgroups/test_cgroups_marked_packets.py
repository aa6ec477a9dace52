"""Datagrams that a cgroup marks: what their time is free of."""

from cnbench.probes.marked_packets import MarkedPackets


class Said:
    """A clock, two processes and a receiver, which say what is done with them in what order."""

    def __init__(self):
        self.order = []
        self.receiver = self

    def getsockname(self):
        return ("127.0.0.1", 9)

    def settle(self):
        self.order.append("settle")

    def units(self, ticks):
        return float(ticks)

    def drain(self):
        self.order.append("drain")
        return 101

    def do(self, task, port, packets):
        self.order.append(task)
        return packets * 7


def test_a_tick_falls_before_each_process_sends_and_not_while_it_does():
    said = Said()
    subject = MarkedPackets(said, said, said, said, 100)
    assert subject.sample() == {"packet": 7.0, "unmarked": 7.0}
    assert said.order == ["settle", "send_often", "drain"] * 2
