"""The pinned userland's own programs, run on this machine without installing or entering it.

Building with them instead of the host's makes every host build the same images: depmod, lz4, zstd,
mksquashfs and the guest's Python are the same everywhere. They are started through the userland's
own dynamic loader (ld.so(8)), which needs no chroot and so no privilege.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from cnbench.core.errors import CommandError


class Toolbox:
    """Programs of an unpacked userland at ``tree``."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree

    def run(
        self,
        program: str,
        *arguments: str,
        name: str = "",
        input: bytes | None = None,
        timeout: float = 600,
    ) -> bytes:
        """Run ``program`` (a path below the tree's root) and give what it printed.

        ``name`` is what it sees as its own, for programs that go by it (kmod is depmod, too).

        Raises:
            CommandError: it exited with an error.
        """
        path = self.tree / program
        libraries = self.tree / "usr/lib/x86_64-linux-gnu"
        argv = [str(self.tree / "usr/lib64/ld-linux-x86-64.so.2")]
        argv += ["--library-path", str(libraries), "--argv0", name or str(path), str(path)]
        # Nothing from the caller's environment: no preloaded library, no Python path of the host.
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"}
        done = subprocess.run(
            [*argv, *arguments],
            input=input,
            capture_output=True,
            timeout=timeout,
            check=False,
            env=environment,
        )
        if done.returncode != 0:
            shown = [name or path.name, *arguments]
            raise CommandError(shown, done.returncode, done.stderr.decode(errors="replace"))
        return done.stdout

    def squashfs(self, source: Path, image: Path) -> None:
        """Pack ``source`` into a read-only image, the same bytes for the same contents.

        Not compressed: under emulation decompressing costs more than the larger file does.
        """
        options = "-all-root -all-time 0 -mkfs-time 0 -no-xattrs -noI -noId -noD -noF -noX"
        options += " -quiet -no-progress -noappend"
        self.run("usr/bin/mksquashfs", str(source), str(image), *options.split())
