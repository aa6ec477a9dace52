"""What runs inside a guest: it prepares the machine, and then does what the host asks.

This folder is put into the initramfs as it is and started as a package of its own, so its parts
import each other by relative names, and nothing else of ours. Host and agent talk in JSON lines
over a virtio-serial port (see serving.py). What both have to know is here.
"""

from __future__ import annotations

PORT_NAME = "cnbench"
# The environment variable that names the process which is busy when no other is.
IDLER = "CNBENCH_IDLER"
# That of the one which keeps room in the kernel's per-processor memory (see per_cpu.py).
ROOM = "CNBENCH_ROOM"
CODE = "/usr/local/lib/cnbench"
ON_INSTRUCTION_CLOCK = "cnbench.clock=instructions"
