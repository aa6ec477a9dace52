"""Running a module in a child that has the port for its standard input and output."""

from __future__ import annotations

import contextlib
import os
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any

STDERR = Path("/run/cnbench-stderr")
_STDERR_KEPT = 4000


def run(request: dict[str, Any], port: int) -> dict[str, Any]:
    """Run a Python module in a child, and say how it ended."""
    child = os.fork()
    if child == 0:
        _become(request["module"], request.get("arguments", []), port)
    _, status = os.waitpid(child, 0)
    return {
        "agent": "ended",
        "status": os.waitstatus_to_exitcode(status),
        "stderr": STDERR.read_text(errors="replace")[-_STDERR_KEPT:],
    }


def _become(module: str, arguments: list[str], port: int) -> None:
    """Run ``module`` in this forked child as ``python3 -m`` would; does not return."""
    status = 1
    try:
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("0")
        errors = os.open(STDERR, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(port, 0)
        os.dup2(port, 1)
        os.dup2(errors, 2)
        sys.argv = [module, *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            os.write(2, end.code.encode() + b"\n")
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(status)
