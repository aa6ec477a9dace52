"""A folder of a process that opens no lab goes with it, and by gc if it is killed."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cnbench.lab.journal import collect
from cnbench.lab.own_folder import own_folder

_HOLDS = """
import time
from cnbench.lab.own_folder import own_folder
with own_folder() as folder:
    (folder / "kept").write_text("something")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_it_is_gone_on_leaving():
    with own_folder() as folder:
        (folder / "kept").write_text("something")
    assert not folder.exists()


@pytest.mark.real
def test_gc_removes_that_of_a_process_that_was_killed():
    holder = subprocess.Popen([sys.executable, "-c", _HOLDS], stdout=subprocess.PIPE, text=True)
    folder = Path(holder.stdout.readline().strip())
    assert folder.is_dir()
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert folder.is_dir()
    collect()
    assert not folder.is_dir()
