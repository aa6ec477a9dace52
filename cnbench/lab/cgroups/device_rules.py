"""Which devices the processes of a group may open: v1's list, or a BPF program on v2.

The program is the kind that container runtimes write (runc's libcontainer/cgroups/devices): it
compares the device asked for with each rule in turn and ends with a denial.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cnbench.core.errors import CnbenchError, UnsupportedError
from cnbench.lab import libc
from cnbench.lab.cgroups.group import Cgroup

# A device's major and minor number.
Device = tuple[int, int]

# From linux/bpf.h.
_BPF_PROG_LOAD, _BPF_PROG_ATTACH, _BPF_OBJ_GET_INFO_BY_FD, _BPF_PROG_QUERY = 5, 8, 15, 16
_BPF_PROG_TYPE_CGROUP_DEVICE = 15
_BPF_CGROUP_DEVICE = 6
_LDX_WORD, _JNE_VALUE, _MOV_VALUE, _EXIT = 0x61, 0x55, 0xB7, 0x95
# Of struct bpf_cgroup_dev_ctx: after the access type, the major and the minor number.
_MAJOR_AT, _MINOR_AT = 4, 8


@dataclass(frozen=True)
class DeviceRules:
    """Devices that a group may open; all others are denied. Use ``open_device_rules``."""

    group: Cgroup
    devices: tuple[Device, ...]
    program: int | None = None

    def wanted(self) -> list[str]:
        """What the kernel is to say that it has."""
        if self.program is None:
            return sorted(f"c {major}:{minor} rw" for major, minor in self.devices)
        return [f"program {_identity(self.program)}"]

    def read_back(self) -> list[str]:
        """What the kernel says that it has: v1's list, or the programs attached to the group."""
        if self.program is None:
            return sorted(self.group.read("devices.list").splitlines())
        return [f"program {number}" for number in _attached(self.group)]


def program_for(devices: Sequence[Device]) -> bytes:
    """Instructions that return 1 for a device of ``devices`` and 0 for all others."""
    code = [_instruction(_LDX_WORD, 2, 1, _MAJOR_AT), _instruction(_LDX_WORD, 3, 1, _MINOR_AT)]
    for major, minor in devices:
        code += [
            _instruction(_JNE_VALUE, 2, 0, 3, major),
            _instruction(_JNE_VALUE, 3, 0, 2, minor),
            _instruction(_MOV_VALUE, 0, 0, 0, 1),
            _instruction(_EXIT),
        ]
    return b"".join([*code, _instruction(_MOV_VALUE), _instruction(_EXIT)])


def _instruction(
    code: int, target: int = 0, source: int = 0, offset: int = 0, value: int = 0
) -> bytes:
    return struct.pack("=BBhi", code, source << 4 | target, offset, value)


@contextlib.contextmanager
def open_device_rules(group: Cgroup, devices: Sequence[Device]) -> Iterator[DeviceRules]:
    """Let the processes of ``group`` open character devices of ``devices`` alone.

    They go with the group.

    Raises:
        CnbenchError: the kernel refuses them.
    """
    if group.version == "v1":
        group.write("devices.deny", "a")
        for major, minor in devices:
            group.write("devices.allow", f"c {major}:{minor} rw")
        yield DeviceRules(group, tuple(devices))
        return
    try:
        program = _load(program_for(devices))
    except OSError as error:
        raise CnbenchError(f"the kernel refuses a device program: {error.strerror}") from error
    try:
        with _opened(group) as folder:
            _bpf(_BPF_PROG_ATTACH, struct.pack("=IIII", folder, program, _BPF_CGROUP_DEVICE, 0))
        yield DeviceRules(group, tuple(devices), program)
    finally:
        os.close(program)


def require_programs() -> None:
    """Raise UnsupportedError where the kernel loads no device programs."""
    try:
        os.close(_load(program_for([])))
    except OSError as error:
        raise UnsupportedError(
            f"this kernel loads no BPF programs for devices: {error.strerror}",
            "use a kernel with CONFIG_CGROUP_BPF: --lab guest",
        ) from error


def _load(code: bytes) -> int:
    instructions = ctypes.create_string_buffer(code, len(code))
    licence = ctypes.create_string_buffer(b"Apache-2.0")
    attributes = struct.pack(
        "=IIQQ", _BPF_PROG_TYPE_CGROUP_DEVICE, len(code) // 8,
        ctypes.addressof(instructions), ctypes.addressof(licence),
    )  # fmt: skip
    return _bpf(_BPF_PROG_LOAD, attributes)


@contextlib.contextmanager
def _opened(group: Cgroup) -> Iterator[int]:
    folder = os.open(group.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield folder
    finally:
        os.close(folder)


def _attached(group: Cgroup) -> list[int]:
    """The numbers of the device programs of ``group`` itself."""
    numbers = (ctypes.c_uint32 * 8)()
    with _opened(group) as folder:
        attributes = ctypes.create_string_buffer(
            struct.pack(
                "=IIIIQI4x",
                folder,
                _BPF_CGROUP_DEVICE,
                0,
                0,
                ctypes.addressof(numbers),
                len(numbers),
            )
        )
        libc.bpf(_BPF_PROG_QUERY, attributes)
    (count,) = struct.unpack_from("=I", attributes, 24)
    return list(numbers[:count])


def _identity(program: int) -> int:
    """The kernel's number of the program behind the descriptor."""
    info = ctypes.create_string_buffer(64)  # struct bpf_prog_info begins with type and id
    _bpf(_BPF_OBJ_GET_INFO_BY_FD, struct.pack("=IIQ", program, len(info), ctypes.addressof(info)))
    return int(struct.unpack_from("=II", info)[1])


def _bpf(command: int, attributes: bytes) -> int:
    return libc.bpf(command, ctypes.create_string_buffer(attributes, len(attributes)))
