"""The image that every runtime starts: Debian's busybox-static and the first process.

One OCI tar (image-layout of the OCI image specification), made here so that it is the same to the
byte wherever the same busybox is installed; its digest tells two runs apart that had another one.
All that it needs is in its first layer; further ones have a small file each, so that what they cost
is their number alone.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import shutil
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cnbench.containers.bundle import MOUNTS
from cnbench.containers.first_process import PROGRAM, program
from cnbench.lab import commands

MOST_LAYERS = 64
# Folders to mount on, for as many further mounts as may be asked for.
MOST_MOUNTS = 256
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True)
class Layer:
    """A layer of an image.

    Attributes:
        media: its media type.
        digest: of its tar, which is not compressed.
        size: of that, in bytes.
        chain: what containerd knows the files of this and all layers below by.
    """

    media: str
    digest: str
    size: int
    chain: str


@dataclass(frozen=True)
class Described:
    """What says of which layers an image is, and how it is started.

    Attributes:
        files: their contents, by their path in the image's tar.
        digest: of its manifest.
    """

    files: Mapping[str, bytes]
    digest: str


@dataclass(frozen=True)
class Image:
    """An image.

    Attributes:
        tar: all of it.
        digest: of its manifest.
        layers: from the lowest to the highest.
    """

    tar: bytes
    digest: str
    layers: Sequence[Layer]

    @property
    def chain(self) -> str:
        """What containerd knows the files of all its layers by."""
        return self.layers[-1].chain


def name(layers: int = 1) -> str:
    """What the image of so many layers is called."""
    return f"localhost/first-process:{layers}"


def mark_of(number: int) -> str:
    """A path that an image has whose ``number``-th layer there is, from 1 for the lowest."""
    return f"etc/layer-{number - 1}" if number > 1 else PROGRAM.lstrip("/")


@cache
def layer() -> bytes:
    """The first layer, a tar without times and owners.

    Raises:
        UnsupportedError: Debian's busybox-static is not installed.
    """
    busybox = Path(commands.require("busybox")).read_bytes()
    files = {"bin/busybox": busybox, PROGRAM.lstrip("/"): program()}
    folders = ["bin", "etc", "mnt", "tmp", *(mount.target.lstrip("/") for mount in MOUNTS)]
    folders = [path for path in folders if not path.startswith("dev/")]
    folders += [f"mnt/{number}" for number in range(MOST_MOUNTS)]
    return _tar(dict.fromkeys(folders) | files)


@cache
def image(layers: int = 1) -> Image:
    """The image of so many layers as one tar; errors as ``layer``."""
    contents = [layer(), *(_tar({mark_of(number): b""}) for number in range(2, layers + 1))]
    tars = {f"sha256:{hashlib.sha256(content).hexdigest()}": content for content in contents}
    sizes = {digest: len(content) for digest, content in tars.items()}
    about = described(name(layers), sizes, {"Cmd": [PROGRAM], "Env": ["PATH=/bin"]})
    blobs = {path_of(digest): content for digest, content in tars.items()}
    laid = [
        Layer(_LAYER, digest, sizes[digest], chain)
        for digest, chain in zip(tars, _chains(list(tars)), strict=True)
    ]
    return Image(_tar(dict(about.files) | blobs), about.digest, laid)


def described(name: str, layers: Mapping[str, int], process: Mapping[str, object]) -> Described:
    """All of an image's tar but its layers, which ``path_of`` places.

    Args:
        name: what it is called.
        layers: the size in bytes of each one's tar by its digest, the lowest first.
        process: how it is started unless told otherwise (config of the OCI image specification).
    """
    blobs: dict[str, bytes] = {}

    def blob(value: object, media: str) -> dict[str, object]:
        data = _json(value)
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        blobs[path_of(digest)] = data
        return {"mediaType": media, "digest": digest, "size": len(data)}

    listed_layers = [
        {"mediaType": _LAYER, "digest": digest, "size": size} for digest, size in layers.items()
    ]
    settings = {
        "architecture": "amd64", "os": "linux", "config": process,
        "rootfs": {"type": "layers", "diff_ids": list(layers)},
    }  # fmt: skip
    config = blob(settings, _CONFIG)
    manifest = {
        "schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": listed_layers,
    }  # fmt: skip
    listed = blob(manifest, _MANIFEST)
    named = listed | {"annotations": {"io.containerd.image.name": name}}
    index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [named]}
    # What `docker load` reads of the same tar.
    of_docker = [{
        "Config": path_of(str(config["digest"])), "RepoTags": [name],
        "Layers": [path_of(digest) for digest in layers],
    }]  # fmt: skip
    files = {"oci-layout": _json({"imageLayoutVersion": "1.0.0"}), "index.json": _json(index)}
    files["manifest.json"] = _json(of_docker)
    return Described(files | blobs, str(listed["digest"]))


def _chains(digests: Sequence[str]) -> Iterator[str]:
    """ChainIDs of the OCI image specification (config.md): each layer's, with those below it."""
    return itertools.accumulate(
        digests,
        lambda below, digest: f"sha256:{hashlib.sha256(f'{below} {digest}'.encode()).hexdigest()}",
    )


def unpack(folder: Path) -> None:
    """Have the image's files in ``folder``, which is made."""
    folder.mkdir()
    with tarfile.open(fileobj=io.BytesIO(layer())) as tar:
        for member in tar:
            path = folder / member.name
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            with path.open("wb") as file:
                shutil.copyfileobj(tar.extractfile(member) or io.BytesIO(), file)
            path.chmod(member.mode)


def path_of(digest: str) -> str:
    """Where an image's tar has what is of that ``digest``."""
    return f"blobs/{digest.replace(':', '/')}"


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _tar(contents: Mapping[str, bytes | None]) -> bytes:
    """A tar of files, and of folders (without contents), all root's and of 1970."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for path, content in contents.items():
            member = tarfile.TarInfo(path)
            member.mode = 0o755
            if content is None:
                member.type = tarfile.DIRTYPE
            else:
                member.size = len(content)
            tar.addfile(member, io.BytesIO(content) if content is not None else None)
    return written.getvalue()
