"""What kube-proxy itself answered to made-up clusters, in a form of our own.

``kube_proxy_1.30.xz`` has one JSON object a line, a case each: its ``id`` and ``set``, the Service
and EndpointSlice ``objects``, the ``node`` with its addresses, zone and options, and what the three
proxiers of kube-proxy 1.30.5 (as OpenShift's fork ships them, with stand-ins for the kernel's
interfaces) were seen to write for that node. Programs are in the form that `iptables`, `nftables`
and `ipvs` below give: lines by chain, elements as a set, without what a later release writes
otherwise. Objects have lost what nothing reads (``apiVersion``, empty fields), and two cases of a
thousand endpoints, which are about the comments that iptables mode drops then, the other two modes.

A chain's name ends in a hash of its service port and endpoint, which would be nine tenths of the
file: where it is the right one, `Names` writes ``#`` and the text it was made of.
"""

import base64
import hashlib
import json
import lzma
import re
from pathlib import Path

RELEASE = "1.30.5"
# kube-proxy walks its services in no fixed order, so in these chains neither do their rules.
_OF_ALL_SERVICES = {
    "KUBE-SERVICES",
    "KUBE-EXTERNAL-SERVICES",
    "KUBE-NODEPORTS",
    "KUBE-PROXY-FIREWALL",
    "KUBE-IPVS-OUT-FILTER",
}
_FILE = Path(__file__).with_name("kube_proxy_1.30.xz")


def cases():
    """Every case, as a dict."""
    return [json.loads(line) for line in lzma.decompress(_FILE.read_bytes()).splitlines()]


class Names:
    """Writes a program's names without the hashes that are right."""

    def __init__(self, objects):
        texts = [text for each in objects for text in self._texts(each, objects)]
        self._known = {_hash(text, 16): f"#{text}" for text in texts}

    @staticmethod
    def _texts(service, objects):
        """What the chains of a service's ports and of their endpoints are named after."""
        if service["kind"] != "Service":
            return
        metadata = service["metadata"]
        for port in service["spec"].get("ports", ()):
            name = f"{metadata['namespace']}/{metadata['name']}"
            name += f":{port['name']}" if port.get("name") else ""
            start = name + port.get("protocol", "TCP").lower()
            yield start
            for each in objects:
                if each["kind"] == "EndpointSlice":
                    for behind in each.get("ports", ()):
                        for endpoint in each.get("endpoints", ()):
                            for address in endpoint["addresses"][:1]:
                                yield f"{start}{address}:{behind.get('port')}"

    def iptables(self, line):
        """A line of iptables'."""
        return re.sub(
            r"(?<=-)[A-Z2-7]{16}\b", lambda found: self._known.get(found[0], found[0]), line
        )

    @staticmethod
    def nftables(line):
        """A line of nftables'."""

        def shorter(found):
            return f"#{found[2]}" if _hash(found[2], 8) == found[1] else found[0]

        return re.sub(r"(?<=-)([A-Z2-7]{8})-([a-z0-9]\S*)", shorter, line)


def _hash(text, length):
    return base64.b32encode(hashlib.sha256(text.encode()).digest())[:length].decode()


def iptables(text, names):
    """A restore program: its rules by table and chain."""
    chains, table = {}, ""
    for line in map(names.iptables, text.splitlines()):
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":"):
            chains.setdefault(f"{table} {line[1:].split()[0]}", [])
        elif line.startswith("-A "):
            _, chain, rule = line.split(" ", 2)
            chains.setdefault(f"{table} {chain}", []).append(rule)
    return {
        chain: sorted(rules) if chain.split()[1] in _OF_ALL_SERVICES else rules
        for chain, rules in chains.items()
    }


def nftables(text, names):
    """A transaction: its rules by chain, its elements, and its chains, sets and maps.

    Left out is what releases after 1.30 write otherwise: base chains (``filter-`` and ``nat-``),
    the match of a port before a jump to mark-for-masquerade (the chain is that port's alone), and
    the comments of firewall-ips' elements.
    """
    rules, elements, made = {}, set(), {}
    for line in map(names.nftables, text.splitlines()):
        command, kind, family, table, name, *_ = [*line.split(), *[""] * 5]
        rest = line.removeprefix(f"{command} {kind} {family} {table} {name}").strip()
        if name.startswith(("filter-", "nat-")) or kind == "table" or not line:
            continue
        if command == "delete":
            made.pop(f"{kind} {name}", None)
        elif command == "add" and kind == "rule":
            if rest.endswith("jump mark-for-masquerade"):
                rest = re.sub(r"(meta l4proto \S+ )?(th|tcp|udp|sctp) dport \d+ ", "", rest)
            rules.setdefault(name, []).append(rest)
        elif command == "add" and kind == "element":
            if name == "firewall-ips":
                rest = re.sub(r' comment "[^"]*"', "", rest)
            elements.add(f"{name} {rest}")
        elif command == "add":
            made[f"{kind} {name}"] = rest
    return {"rules": rules, "elements": sorted(elements), "made": made}


def ipvs(servers, real_servers, sets, addresses, rules):
    """What IPVS mode has of each kind; ``rules`` are its restore program."""
    return {
        "servers": sorted(servers),
        "real servers": sorted(real_servers),
        "sets": {name: sorted(entries) for name, entries in sets.items() if entries},
        "addresses": sorted(addresses),
        "rules": iptables(rules, Names([])),
    }
