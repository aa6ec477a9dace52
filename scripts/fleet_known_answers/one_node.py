"""A Kubernetes cluster of one node: all its servers, a runtime, a kubelet, and a volume."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet_known_answers.own_image import write_image

from cnbench.containers.containerd import OF_THE_CRI, Containerd, open_containerd
from cnbench.containers.enclave import Enclave, open_enclave
from cnbench.control_plane.api.client import Client
from cnbench.control_plane.binaries import KUBERNETES, binaries_of
from cnbench.control_plane.servers.api_server import ADMIN, URL
from cnbench.control_plane.servers.certificates import MASTERS
from cnbench.control_plane.servers.controllers import start_controller_manager, start_scheduler
from cnbench.control_plane.servers.etcd import MEMORY
from cnbench.control_plane.servers.kubelet import start_kubelet
from cnbench.control_plane.servers.plane import Plane, start_plane
from cnbench.core.errors import CnbenchError
from cnbench.lab.host import Lab
from cnbench.lab.waiting import wait_until

_PATIENCE = 300.0
_ENDS = ("Complete", "Failed")

Object = dict[str, Any]


@dataclass(frozen=True)
class OneNode:
    """A cluster. Use ``one_node``.

    Attributes:
        client: of its API, as one who may do everything.
        volume: the folder that its only volume has.
    """

    plane: Plane
    runtime: Containerd
    client: Client
    volume: Path

    @property
    def enclave(self) -> Enclave:
        """Where all of it lives."""
        return self.plane.enclave

    def kubectl(self, *arguments: str, given: str = "", account: str = "") -> str:
        """What kubectl prints, called by one who may do everything, or as the service ``account``.

        Raises:
            CommandError: the API server refuses.
        """
        certificates = self.plane.certificates
        itself = certificates.kubeconfig(URL, certificates.client(ADMIN, MASTERS))
        options = [f"--kubeconfig={itself}", f"--cache-dir={self.plane.folder}/kubectl"]
        if account:
            options.append(f"--as=system:serviceaccount:{account}")
        program = self.plane.binaries.path("kubectl")
        return self.enclave.run(program, *options, *arguments, given=given).output

    def ended(self, namespace: str, job: str) -> Mapping[str, str]:
        """The condition of a Job that has come to an end, once the API says so.

        Raises:
            CnbenchError: it does not come to one; the message has what became of its pods.
        """
        path = f"/apis/batch/v1/namespaces/{namespace}/jobs/{job}"
        found: list[Mapping[str, str]] = []

        def over() -> bool:
            conditions = self.client.get(path)["status"].get("conditions", [])
            found[:] = [one for one in conditions if one["type"] in _ENDS]
            return bool(found)

        try:
            wait_until(over, f"the Job {job} has not ended", within=_PATIENCE, every=0.5)
        except CnbenchError as error:
            told = self.kubectl("describe", "pods,persistentvolumeclaims", "-n", namespace)
            raise CnbenchError(f"{error}:\n{told}") from error
        return found[0]

    def pods_of(self, namespace: str, job: str) -> list[Object]:
        """The pods that a Job has had, the first one first."""
        selected = f"?labelSelector=job-name%3D{job}"
        pods: list[Object] = self.client.get(f"/api/v1/namespaces/{namespace}/pods{selected}")[
            "items"
        ]
        return sorted(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))


@contextlib.contextmanager
def one_node(lab: Lab, image: str) -> Iterator[OneNode]:
    """A cluster whose node is ready and has cnbench as ``image``; nothing of it is left behind.

    Raises:
        UnsupportedError: a program is missing, or this user cannot make the enclave.
        CnbenchError: a server does not answer.
    """
    binaries = binaries_of(KUBERNETES)
    volume = lab.temporary_folder()
    with open_enclave(lab) as enclave, open_containerd(enclave) as runtime:
        tar = write_image(lab.temporary_folder(), image, ())
        runtime.ctr("images", "import", str(tar), namespace=OF_THE_CRI)
        tar.unlink()
        plane = start_plane(enclave, binaries, MEMORY, accounts=True)
        start_controller_manager(plane, kubelets=True)
        start_scheduler(plane)
        kubelet = start_kubelet(plane, runtime)
        with plane.api.client() as client:
            kubelet.await_ready(client)
            cluster = OneNode(plane, runtime, client, volume)
            cluster.kubectl("create", "-f", "-", given=json.dumps(_volume(volume)))
            yield cluster


def _volume(folder: Path) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "results"},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "capacity": {"storage": "1Gi"},
            "hostPath": {"path": str(folder), "type": "Directory"},
        },
    }
