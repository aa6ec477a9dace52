"""System calls that a few instructions make and time."""

import ctypes
import errno
import mmap
import os
import platform
import struct

import pytest

from cnbench.core.errors import UnsupportedError
from cnbench.lab import system_calls
from cnbench.lab.clock import Clock
from cnbench.lab.system_calls import CLOCK_NANOSLEEP, Calls

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the instructions are x86-64's"
)
_CLOSE, _GETPID, _LSEEK = 3, 39, 8


def test_calls_are_made_in_turn_and_return_what_the_kernel_says(tmp_path):
    with (tmp_path / "file").open("wb") as file:
        calls = Calls(
            [(_GETPID,), (_LSEEK, file.fileno(), 7, os.SEEK_SET), (_LSEEK, file.fileno(), 5, 1)]
        )
        assert calls.run() > 0
    assert calls.returned == [os.getpid(), 7, 12]


def test_an_error_is_its_negative_number():
    calls = Calls([(_CLOSE, 1_000_000)])
    calls.run()
    assert calls.returned == [-errno.EBADF]


def test_the_time_is_that_of_the_clock_that_everything_is_timed_with():
    pause = ctypes.create_string_buffer(struct.pack("=2q", 0, 2_000_000))
    calls = Calls([(CLOCK_NANOSLEEP, 1, 0, ctypes.addressof(pause))])
    began = Clock.ticks()
    took = calls.run()
    around = Clock.ticks() - began
    assert 2_000_000 <= took <= around


def test_another_processor_is_the_machines_limit(monkeypatch):
    system_calls._run.cache_clear()
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(UnsupportedError, match="not written for aarch64"):
        Calls([(_GETPID,)])


def test_a_machine_that_lets_nobody_write_instructions_is_told(monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(mmap, "mmap", refuse)
    with pytest.raises(UnsupportedError, match="write its own instructions"):
        system_calls.executable(b"\xc3")
