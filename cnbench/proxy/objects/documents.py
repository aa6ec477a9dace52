"""Files of Kubernetes objects: JSON or YAML, as ``kubectl get -o`` writes them."""

from __future__ import annotations

import codecs
import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from cnbench.core.errors import ServiceError
from cnbench.proxy.objects.yaml_guard import refuse_excess

STDIN = Path("-")
_MOST_BYTES = 512 << 20
HOW_TO_GET = "kubectl get services,endpointslices --all-namespaces -o yaml"
_ENCODINGS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
    # Without a mark: how a mapping, a list or a document begins.
    **dict.fromkeys((b"{\0", b"\0{", b"[\0", b"\0[", b"a\0", b"\0a", b"-\0", b"\0-"), "UTF-16"),
}


def read_documents(path: Path) -> list[object]:
    """Parse a file, JSON or YAML, or what comes in for ``-``.

    Raises:
        ServiceError: it cannot be read, is empty, of another encoding than UTF-8, or neither.
    """
    source = "the standard input" if path == STDIN else str(path)
    raw = _bytes_of(path, source)
    text = _decoded(raw, source)
    if not text.strip():
        raise ServiceError(f"{source}: is empty", HOW_TO_GET)
    try:
        return [json.loads(text)]
    except ValueError:
        return _yaml_documents(source, text)
    except RecursionError as error:
        raise ServiceError(f"{source}: is nested too deeply to be Kubernetes objects") from error


def _bytes_of(path: Path, source: str) -> bytes:
    try:
        with contextlib.nullcontext(sys.stdin.buffer) if path == STDIN else path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ServiceError(f"{source}: cannot be read: {error.strerror}") from error
    if len(raw) > _MOST_BYTES:
        raise ServiceError(f"{source}: has more than {_MOST_BYTES >> 20} MiB")
    return raw


def unpacked(documents: object, *, kind: str = "") -> Iterator[tuple[object, str]]:
    """Give the objects of lists one by one, each with the kind that its list says it is.

    ``kubectl get services -o json`` gives every object its kind; a ServiceList as the API server
    sends it says it once.
    """
    if documents is None:
        return  # what an empty YAML document is
    if isinstance(documents, list):
        for each in documents:
            yield from unpacked(each, kind=kind)
    elif isinstance(documents, Mapping) and "items" in documents and _is_list(documents):
        listed = documents.get("kind")
        of_one_kind = listed.removesuffix("List") if isinstance(listed, str) else ""
        yield from unpacked(documents["items"], kind=of_one_kind or kind)
    else:
        yield documents, kind


def _is_list(document: Mapping[object, object]) -> bool:
    kind = document.get("kind")
    return kind is None or (isinstance(kind, str) and kind.endswith("List"))


def _decoded(raw: bytes, source: str) -> str:
    for start, encoding in _ENCODINGS.items():
        if raw.startswith(start):
            raise ServiceError(
                f"{source}: is {encoding}, and Kubernetes' tools write UTF-8",
                "in PowerShell: kubectl get ... -o yaml | Out-File -Encoding utf8 FILE",
            )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ServiceError(
            f"{source}: byte {error.start} is not UTF-8, which Kubernetes' tools write"
        ) from error


def _yaml_documents(source: str, text: str) -> list[object]:
    # Only the analysis side has PyYAML; in the guest no file is read.
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        refuse_excess(source, yaml.parse(text, Loader=loader))
        return list(yaml.load_all(text, Loader=loader))
    except RecursionError as error:
        raise ServiceError(f"{source}: is nested too deeply to be Kubernetes objects") from error
    # A scalar that looks like a date or a number and is none ends in whatever its reader meets.
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError) as error:
        said = " ".join(str(error).split())
        raise ServiceError(f"{source}: is neither JSON nor YAML: {said[:300]}") from error
