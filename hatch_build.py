"""Compiles the scheduler's inner loops where there is a compiler; without one, numpy does them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext

LOOPS = Path("cnbench/scheduler/loops")
SOURCES = ("compiled.c", "labels.c", "parts.c", "scales.c")
# Each result is that of numpy to the bit: no two operations may be contracted into one.
FLAGS = ("-O3", "-ffp-contract=off", "-fno-trapping-math", "-funroll-loops", "-Wall", "-Wextra")


class CompiledLoops(BuildHookInterface):
    """Builds the extension in its place, and has the wheel hold it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile it; what fails is told, and is no failure."""
        for stale in LOOPS.glob("compiled.*.so"):
            stale.unlink()
        extension = Extension(
            "cnbench.scheduler.loops.compiled",
            [str(LOOPS / name) for name in SOURCES],
            depends=[str(header) for header in sorted(LOOPS.glob("*.h"))],
            include_dirs=[np.get_include()],
            extra_compile_args=list(FLAGS),
            optional=True,
        )
        command = build_ext(Distribution({"name": "cnbench", "ext_modules": [extension]}))
        command.inplace = True
        with tempfile.TemporaryDirectory() as folder:
            command.build_temp = folder
            command.ensure_finalized()
            command.run()
        if built := sorted(LOOPS.glob("compiled.*.so")):
            build_data["artifacts"] += map(str, built)
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
