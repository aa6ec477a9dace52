"""Start the agent: ``PYTHONPATH=... python3 -m agent``, where the initramfs has put this folder."""

import os

from .main import main

# It was for this process alone: what runs later has the environment that a measurement expects.
os.environ.pop("PYTHONPATH", None)
main()
