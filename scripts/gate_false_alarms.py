"""Shows that what `cnbench init` writes keeps silent over nothing, and stops one per cent.

Makes a repository of a hundred services, has `cnbench init` set it up, and runs the script that it
wrote as a clean machine would: an empty home, no guest, cnbench installed from a wheel. Then every
round compares the first commit with one that changes nothing which costs (in turn: a text, labels,
the order of the services), and with one that has 30 services more, of other names each round: at
about 21 instructions a rule that is 1.0 % of a connection to the last of them by iptables, and
nothing by nftables' and IPVS' tables. The exit code is 0 only if none of the first was stopped, all
of the second were, and for iptables alone.

Needs a package index, a Debian mirror and QEMU; no root. Some three minutes to build, then two to
four a round.

    .venv/bin/python scripts/gate_false_alarms.py [--times 10] [--guest FOLDER] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_IDENTITY = ("-c", "user.name=nobody", "-c", "user.email=nobody@localhost")
_SERVICES = 100
_MORE = 30
_DEARER_MODE = "iptables"
# What a machine needs to reach its package index and mirror; nothing else of ours comes along.
_KEPT = ("PATH", "LANG", "PIP_", "SSL_", "REQUESTS_", "http_proxy", "https_proxy", "no_proxy",
         "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "CNBENCH_DEBIAN_MIRROR")  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """A folder that is all that a clean machine has: a home, a wheel, and a repository."""

    folder: Path
    environment: dict[str, str]

    @property
    def repository(self) -> Path:
        """Where it is."""
        return self.folder / "shop"

    def call(self, *argv: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command in the repository."""
        return subprocess.run(
            list(map(str, argv)),
            cwd=self.repository,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def must(self, *argv: str | Path) -> str:
        """Run a command in the repository; gives its stdout.

        Raises:
            SystemExit: it failed.
        """
        done = self.call(*argv)
        if done.returncode:
            raise SystemExit(f"{' '.join(map(str, argv))}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def commit(self, subject: str) -> str:
        """Commit everything; gives the commit."""
        self.must("git", "add", "--all")
        self.must("git", *_IDENTITY, "commit", "--quiet", "-m", subject)
        return self.must("git", "rev-parse", "HEAD").strip()


def services(names: list[str], label: str = "v1") -> str:
    """A list of services with an endpoint each, as `kubectl get -o json` gives it."""
    items: list[object] = []
    for name in names:
        number = int(name.rpartition("-")[2])
        metadata = {"name": name, "namespace": "shop", "labels": {"version": label}}
        address, pod = (f"10.{net}.{number // 250}.{number % 250 + 1}" for net in (96, 244))
        ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}]
        spec = {"type": "ClusterIP", "clusterIP": address, "clusterIPs": [address], "ports": ports}
        items.append({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
        items.append(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "addressType": "IPv4",
                "metadata": {
                    "name": f"{name}-slice",
                    "namespace": "shop",
                    "labels": {"kubernetes.io/service-name": name},
                },
                "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
                "endpoints": [
                    {"addresses": [pod], "conditions": {"ready": True}, "nodeName": "node-1"}
                ],
            }
        )
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1)


def names_of(numbers: range, prefix: str = "app") -> list[str]:
    """Names that end with a number, which their addresses follow from."""
    return [f"{prefix}-{number:04}" for number in numbers]


def equal(machine: Machine, number: int) -> None:
    """Change something that costs nothing."""
    names = names_of(range(_SERVICES))
    if number % 3 == 1:
        (machine.repository / "README").write_text(f"round {number}\n")
    elif number % 3 == 2:
        (machine.repository / "services.json").write_text(services(names, f"v{number}"))
    else:
        random.Random(number).shuffle(names)  # noqa: S311  nothing here is a secret
        (machine.repository / "services.json").write_text(services(names))


def dearer(machine: Machine, number: int) -> None:
    """Add 30 services, of names of their own each round."""
    more = names_of(range(1000 + 100 * number, 1000 + 100 * number + _MORE), f"more{number}")
    (machine.repository / "services.json").write_text(
        services([*names_of(range(_SERVICES)), *more])
    )


def prepare(folder: Path, guest: Path | None) -> tuple[Machine, str]:
    """A clean machine with a repository that `cnbench init` has set up, and its first commit."""
    home, wheels = folder / "home", folder / "wheels"
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(wheels), str(ROOT)]
    if subprocess.run(build, capture_output=True, check=False).returncode:
        raise SystemExit("the wheel could not be built")
    environment = {n: v for n, v in os.environ.items() if n.startswith(_KEPT)}
    links = f"{environment.get('PIP_FIND_LINKS', '')} {wheels}".strip()
    environment |= {"HOME": str(home), "PIP_FIND_LINKS": links}
    if guest:
        environment["CNBENCH_CACHE"] = str(guest.resolve())
    machine = Machine(folder, environment)
    home.mkdir()
    machine.repository.mkdir()
    machine.must("git", "init", "--quiet", "--initial-branch", "main")
    (machine.repository / "services.json").write_text(services(names_of(range(_SERVICES))))
    print(machine.must(sys.executable, "-m", "cnbench", "init"), flush=True)
    return machine, machine.commit("Have cnbench say what a change costs")


def gate(machine: Machine, base: str, head: str) -> tuple[int, dict[str, tuple[str, float]], float]:
    """Run the script on two commits: its exit code, verdict and effect by mode, and seconds.

    Raises:
        SystemExit: it did not come to a verdict.
    """
    began = time.monotonic()
    done = machine.call("ci/cnbench.sh", base, head)
    work = machine.repository / ".cache/cnbench-ci"
    if done.returncode not in (0, 1) or not (work / "comment.md").read_text().startswith("<!--"):
        raise SystemExit(f"ci/cnbench.sh ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    files = (work / f"{side}.jsonl" for side in ("base", "head"))
    compared = machine.call(
        work / "venv/bin/cnbench", "compare", *files, "--fail-on", "0.5%", "--json"
    )
    rows = json.loads(compared.stdout)["rows"]
    found = {row["params"]["mode"]: (row["verdict"], row["ratio"] - 1) for row in rows}
    return done.returncode, found, time.monotonic() - began


def main() -> None:
    """Compare, and print how often the gate stopped nothing, and something."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--guest", type=Path, help="a cache with a guest that is built already")
    parser.add_argument("--keep", type=Path, help="where the last comment of each kind goes")
    options = parser.parse_args()
    stopped, fine = {"equal": 0, "dearer": 0}, True
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        machine, base = prepare(folder, options.guest)
        for number in range(1, options.times + 1):
            for kind, change in (("equal", equal), ("dearer", dearer)):
                machine.must("git", "checkout", "--quiet", "--detach", base)
                change(machine, number)
                head = machine.commit(f"{kind} {number}")
                code, found, took = gate(machine, base, head)
                stopped[kind] += code
                told = "  ".join(f"{m} {v} {e:+.3%}" for m, (v, e) in sorted(found.items()))
                print(f"{number:2} {kind:6} exit {code}  {told}  {took:.0f} s", flush=True)
                worse = {mode for mode, (verdict, _) in found.items() if verdict == "worse"}
                fine = fine and worse == ({_DEARER_MODE} if kind == "dearer" else set())
                if options.keep:
                    comment = machine.repository / ".cache/cnbench-ci/comment.md"
                    shutil.copyfile(comment, options.keep / f"{kind}.md")
        print(machine.must(folder / "shop/.cache/cnbench-ci/venv/bin/asv", "check"), flush=True)
    print(f"{stopped['equal']} of {options.times} commits that change nothing were stopped")
    print(f"{stopped['dearer']} of {options.times} commits of {_MORE} more services were stopped")
    raise SystemExit(not fine)


if __name__ == "__main__":
    main()
