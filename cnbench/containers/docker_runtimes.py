"""One container after another by dockerd: over its API, and by `docker run`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnbench.containers import image
from cnbench.containers.bundle import HOSTNAME, targets
from cnbench.containers.dockerd import Dockerd
from cnbench.containers.enclave import Command
from cnbench.containers.runtimes import OfOneBundle, Started, Together


@dataclass(frozen=True)
class DockerApi(OfOneBundle):
    """The calls that `docker run` makes, without it."""

    daemon: Dockerd

    def start(self) -> Started:
        """Create a container, and start it."""
        created = self.daemon.call("POST", "/containers/create", self._settings())
        name = created.said["Id"]
        started = self.daemon.call("POST", f"/containers/{name}/start")
        steps = {"create": created.took, "launch": started.took}
        return Started(name, self._look(name)["Pid"], created.began, steps)

    def state(self, started: Started) -> str:
        """What it says about the container."""
        return str(self._look(started.name)["Status"])

    def stop(self, started: Started) -> int:
        """Have the container killed and removed."""
        return self.daemon.call("DELETE", f"/containers/{started.name}?force=1").took

    def _look(self, name: str) -> dict[str, Any]:
        state: dict[str, Any] = self.daemon.call("GET", f"/containers/{name}/json").said["State"]
        return state

    def _settings(self) -> dict[str, Any]:
        security = ["no-new-privileges", *([] if self.wanted.seccomp else ["seccomp=unconfined"])]
        return {
            "Image": image.name(self.wanted.layers),
            "Hostname": HOSTNAME,
            "HostConfig": {
                "NetworkMode": self.wanted.network,
                "CgroupParent": self.daemon.enclave.group,
                "SecurityOpt": security,
                # The bundle of the others hides nothing of /proc and /sys.
                "MaskedPaths": [],
                "ReadonlyPaths": [],
                "Binds": [f"{self.files.extra}:{path}" for path in targets(self.wanted.mounts)],
            },
        }


@dataclass(frozen=True)
class DockerRun(Together, DockerApi):
    """Docker's own command, which asks the daemon for the same."""

    def start_together(self, count: int) -> list[Started]:
        """Run containers that go on when the command has ended."""
        ran = self.daemon.enclave.run_together([self._command()] * count)
        names = [each.output.strip() for each in ran]
        return [
            Started(name, self._look(name)["Pid"], each.began, {"launch": each.took})
            for name, each in zip(names, ran, strict=True)
        ]

    def _command(self) -> Command:
        wanted = self.wanted
        options = [
            "--network", wanted.network, "--cgroup-parent", self.daemon.enclave.group,
            "--hostname", HOSTNAME, "--security-opt", "no-new-privileges",
            "--security-opt", "systempaths=unconfined",
        ]  # fmt: skip
        if not wanted.seccomp:
            options += ["--security-opt", "seccomp=unconfined"]
        for path in targets(wanted.mounts):
            options += ["--volume", f"{self.files.extra}:{path}"]
        host = f"unix://{self.daemon.socket}"
        what = image.name(wanted.layers)
        return Command(("docker", "--host", host, "run", "--detach", *options, what))
