from cnbench.lab.guest import ending

PANIC = """\
[    0.1] Booting
[    1.064692] RIP: 0010:__kmalloc_noprof+0x130/0x400
[    1.070000] Kernel panic - not syncing: Fatal exception in interrupt
[    1.070100] Kernel Offset: disabled
"""
OUT_OF_MEMORY = """\
[   12.3] Out of memory: Killed process 77 (python3) total-vm:900000kB, anon-rss:800000kB
[   12.4] oom_reaper: reaped process 77 (python3)
"""


def test_a_panic_is_the_reason() -> None:
    error = ending.of_machine("starting", "", PANIC)
    assert str(error) == (
        "the guest ended while starting: its kernel panicked: Fatal exception in interrupt"
    )
    assert error.console[-1] == "Kernel Offset: disabled"
    assert ending.is_panic(error)


def test_running_out_of_memory_has_a_remedy() -> None:
    error = ending.of_module("cnbench.measuring.guests.entry", -9, "", OUT_OF_MEMORY)
    assert "was killed by signal 9" in str(error)
    assert "it ran out of memory: python3" in str(error)
    assert "more memory" in error.remedy
    assert not ending.is_panic(error)


def test_qemus_own_words_count_where_the_guest_said_nothing() -> None:
    stderr = "qemu: warning: icount sleep disabled\nqemu: could not open disk\n"
    error = ending.of_machine("starting", stderr, "")
    assert str(error).endswith("qemu: could not open disk")


def test_the_init_scripts_words() -> None:
    console = "[    1.0] x\ncnbench: the modules do not mount\n[    1.1] reboot: Power down\n"
    assert ending.reason_in(console) == "the modules do not mount"


def test_a_module_that_fails_is_told_with_its_last_line() -> None:
    error = ending.of_module("m", 1, "Traceback:\n  File x\nValueError: no rules", "")
    assert str(error) == "m exited with 1 in the guest: ValueError: no rules"


def test_a_hang_is_told_with_the_consoles_last_line() -> None:
    error = ending.of_silence("running m", "the guest said nothing for 9 s", "[ 5.1] last words\n")
    assert "said nothing for 9 s while running m" in str(error)
    assert "'last words'" in str(error)


def test_an_empty_console_is_said_to_be_empty() -> None:
    assert "its console is empty" in str(ending.of_machine("starting", "", ""))
