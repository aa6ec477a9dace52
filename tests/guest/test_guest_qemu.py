from pathlib import Path

from cnbench.lab.guest.qemu import Files, Hardware, command_line, kernel_command_line

FILES = Files(
    Path("/c/vmlinux"),
    "/proc/self/fd/9",
    (Path("/c/root,1.squashfs"), Path("/c/modules")),
    "/proc/self/fd/5",
    channel=6,
    monitor=7,
)


def following(argv: list[str], option: str) -> list[str]:
    return [argv[at + 1] for at, word in enumerate(argv) if word == option]


def test_the_instruction_clock_counts_instructions_on_one_emulated_cpu() -> None:
    argv = command_line(Hardware("instructions"), FILES)
    assert following(argv, "-icount") == ["shift=0,sleep=off"]
    assert following(argv, "-accel") == ["tcg"]
    assert following(argv, "-smp") == ["1"]
    assert following(argv, "-seed") == ["1"]
    assert following(argv, "-rtc") == ["base=2026-01-01T00:00:00,clock=vm"]
    assert {"nokaslr", "norandmaps", "randomize_kstack_offset=off"} <= set(
        kernel_command_line(Hardware("instructions")).split()
    )


def test_the_wall_clock_pins_nothing() -> None:
    argv = command_line(Hardware("wall"), FILES)
    assert not {"-icount", "-seed", "-rtc"} & set(argv)
    assert "nokaslr" not in kernel_command_line(Hardware("wall")).split()


def test_with_kvm_the_processor_and_its_mitigations_are_the_hosts() -> None:
    hardware = Hardware("wall", "kvm", memory=2048, cpus=2)
    argv = command_line(hardware, FILES)
    assert following(argv, "-accel") == ["kvm"]
    assert following(argv, "-cpu") == ["host"]
    assert following(argv, "-m") == ["2048"]
    assert following(argv, "-smp") == ["2"]
    assert "mitigations=off" not in kernel_command_line(hardware)


def test_disks_are_read_only_and_in_order_with_commas_quoted() -> None:
    drives = following(command_line(Hardware(), FILES), "-drive")
    assert drives == [
        "id=disk0,if=none,format=raw,readonly=on,file=/c/root,,1.squashfs",
        "id=disk1,if=none,format=raw,readonly=on,file=/c/modules",
    ]


def test_a_saved_state_comes_in_by_its_descriptor() -> None:
    restored = Files(**{**vars(FILES), "state": 8})
    assert following(command_line(Hardware(), restored), "-incoming") == ["fd:8"]
    assert "-incoming" not in command_line(Hardware(), FILES)


def test_nothing_of_the_users_own_qemu_settings_takes_part() -> None:
    assert {"-no-user-config", "-nodefaults", "-no-reboot"} <= set(command_line(Hardware(), FILES))
