"""Messages of protobuf as classes, made from tables of their fields.

A message a line: its fields in their order of number, "name:type=number"; a * before the type is
"repeated".
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from cnbench.rpc import containerd_messages, cri_messages, csi_messages

_TABLES = {
    table.PACKAGE: table.MESSAGES for table in (cri_messages, containerd_messages, csi_messages)
}

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "string": _Field.TYPE_STRING, "bool": _Field.TYPE_BOOL, "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64, "uint64": _Field.TYPE_UINT64,
    "uint32": _Field.TYPE_UINT32, "bytes": _Field.TYPE_BYTES,
}  # fmt: skip


@cache
def message(name: str, package: str = cri_messages.PACKAGE) -> Any:
    """The class of the message called ``name``; KeyError where none is listed."""
    described = _pool(package).FindMessageTypeByName(f"{package}.{name}")
    return message_factory.GetMessageClass(described)


@cache
def _pool(package: str) -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name=package, package=package, syntax="proto3")
    for line in _TABLES[package].strip().splitlines():
        name, *fields = line.split()
        listed = file.message_type.add(name=name)
        for field in fields:
            _describe(listed.field.add(), field, package)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _describe(field: descriptor_pb2.FieldDescriptorProto, text: str, package: str) -> None:
    field.name, _, rest = text.partition(":")
    kind, _, number = rest.partition("=")
    field.number = int(number)
    field.label = _Field.LABEL_REPEATED if kind.startswith("*") else _Field.LABEL_OPTIONAL
    kind = kind.lstrip("*")
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{package}.{kind}"
