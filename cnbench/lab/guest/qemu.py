"""The QEMU command line of a guest: what it is made of, and what makes it repeat itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cnbench.core.metric import ClockName
from cnbench.lab.guest.agent import PORT_NAME

PROGRAM = "qemu-system-x86_64"

Accelerator = Literal["kvm", "tcg"]

# Leaves out what a guest never uses: each device found costs time at boot.
_MACHINE = "q35,sata=off,smbus=off,usb=off,vmport=off,i8042=off,hpet=off"
# A CPU without rdrand: on the instruction clock every random number must come from one seed. And
# without cmpxchg16b: after one, QEMU 7.2 leaves the flags corrupt now and then, and the kernel's
# allocator, which uses it, panics (in three of five runs with it, in none of five without it).
_EMULATED_CPU = "qemu64,-cx16"
# oops=panic: a kernel that has stumbled measures nothing any more. panic=-1: then reboot at once,
# which -no-reboot turns into an end.
_KERNEL = "console=ttyS0 quiet panic=-1 oops=panic net.ifnames=0 nowatchdog audit=0"
# Checks of the emulated hardware that cost a tenth of a second each and change nothing measured:
# certificates that nothing here verifies, and noise in a clock that has none.
_EMULATED_KERNEL = (
    "mitigations=off tsc=reliable"
    " initcall_blacklist=load_system_certificate_list,jent_mod_init,trace_eval_init"
)
_INSTRUCTIONS_KERNEL = (
    # The first one is for the agent.
    "cnbench.clock=instructions nokaslr norandmaps randomize_kstack_offset=off"
    " random.trust_cpu=0 random.trust_bootloader=0"
    # Every new device would announce itself after random delays: at other moments of a set-up from
    # boot to boot, each with a random number that the set-up then does not get.
    " ipv6.disable_ipv6=1"
    " tsc_early_khz=1000000 thash_entries=131072 uhash_entries=8192"
)


@dataclass(frozen=True)
class Hardware:
    """What a guest is made of.

    Attributes:
        clock: ``wall``, or ``instructions``: one executed instruction is one nanosecond.
        accelerator: ``kvm``, or ``tcg`` (emulation), the only one that counts instructions.
        memory: in MiB. Only what a guest touches is taken from the host; four file systems with
            images of some 500 MiB each fit.
        cpus: how many; the instruction clock has one.
    """

    clock: ClockName = "wall"
    accelerator: Accelerator = "tcg"
    memory: int = 3072
    cpus: int = 1


@dataclass(frozen=True)
class Tracing:
    """A plug-in that QEMU loads, and where it writes.

    Attributes:
        plugin: its shared object.
        out: a descriptor of the file that it appends to.
    """

    plugin: Path
    out: int


@dataclass(frozen=True)
class Files:
    """What a guest is started with: paths (of files or ``/proc/self/fd/N``) and descriptors.

    Attributes:
        vmlinux: the uncompressed kernel.
        initramfs: its first root.
        disks: images, read-only, in the order the guest sees them (vda, vdb, ...).
        console: the file that the guest's console is appended to.
        channel: a descriptor of a connected socket: the guest's serial port to the host.
        monitor: a descriptor of a connected socket: QEMU's monitor (QMP).
        state: a descriptor of a file that holds a saved state, or None to boot.
        tracing: the plug-in that watches what the guest executes, or None.
    """

    vmlinux: Path
    initramfs: str
    disks: tuple[Path, ...]
    console: str
    channel: int
    monitor: int
    state: int | None = None
    tracing: Tracing | None = None


def kernel_command_line(hardware: Hardware) -> str:
    """The kernel's parameters (Documentation/admin-guide/kernel-parameters.txt)."""
    parts = [_KERNEL]
    if hardware.accelerator == "tcg":
        parts.append(_EMULATED_KERNEL)
    if hardware.clock == "instructions":
        parts.append(_INSTRUCTIONS_KERNEL)
    return " ".join(parts)


def machine_arguments(hardware: Hardware) -> list[str]:
    """The part of the command line that a saved state depends on."""
    arguments = [
        *("-machine", _MACHINE, "-accel", hardware.accelerator),
        *("-cpu", "host" if hardware.accelerator == "kvm" else _EMULATED_CPU),
        *("-m", str(hardware.memory), "-smp", str(hardware.cpus)),
        *("-no-user-config", "-nodefaults", "-display", "none", "-no-reboot"),
        *("-append", kernel_command_line(hardware)),
    ]
    if hardware.clock == "instructions":
        # One instruction a nanosecond; idle time is skipped; every clock and every random number
        # of the machine follow from that and from a seed.
        arguments += ["-icount", "shift=0,sleep=off", "-seed", "1"]
        arguments += ["-rtc", "base=2026-01-01T00:00:00,clock=vm"]
    return arguments


def command_line(hardware: Hardware, files: Files) -> list[str]:
    """The whole command, to be started with the descriptors of ``files`` open."""
    arguments = [
        *(PROGRAM, *machine_arguments(hardware)),
        *("-kernel", str(files.vmlinux), "-initrd", files.initramfs),
        *("-chardev", f"file,id=console,path={files.console},append=on"),
        *("-serial", "chardev:console"),
        *("-chardev", f"socket,id=channel,fd={files.channel}"),
        *("-device", "virtio-serial-pci,id=ports"),
        *("-device", f"virtserialport,bus=ports.0,chardev=channel,name={PORT_NAME}"),
        *("-chardev", f"socket,id=monitor,fd={files.monitor}", "-mon", "monitor,mode=control"),
    ]
    for number, path in enumerate(files.disks):
        drive = f"id=disk{number},if=none,format=raw,readonly=on,file={_quoted(path)}"
        arguments += ["-drive", drive, "-device", f"virtio-blk-pci,drive=disk{number}"]
    if files.state is not None:
        arguments += ["-incoming", f"fd:{files.state}"]
    if files.tracing is not None:
        plugin, out = files.tracing.plugin, files.tracing.out
        arguments += ["-plugin", f"file={_quoted(plugin)},out=/proc/self/fd/{out}"]
    return arguments


def _quoted(path: Path) -> str:
    return str(path).replace(",", ",,")
