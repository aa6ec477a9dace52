"""What runs in a guest for ``cnbench guest run``: one command, its output told as it comes.

In comes one line, ``{"argv": [...], "stdin": "..."}``; out go ``{"stdout": "..."}`` and
``{"stderr": "..."}`` as the command writes, and at its end ``{"status": N}``, as a shell counts:
128 and the signal's number for one that a signal ended, 127 for one that is not there.
"""

from __future__ import annotations

import codecs
import json
import os
import selectors
import subprocess
import sys
import tempfile
from typing import IO

_NOT_FOUND = 127
_CHUNK = 1 << 16


def main() -> None:
    """Run the command that stdin names."""
    request = json.loads(sys.stdin.readline())
    with tempfile.TemporaryFile() as given:
        given.write(request["stdin"].encode())
        given.seek(0)
        try:
            process = subprocess.Popen(
                request["argv"], stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            _tell("stderr", f"{request['argv'][0]}: {error.strerror}\n")
            _tell("status", _NOT_FOUND)
            return
    with process:
        assert process.stdout is not None  # noqa: S101
        assert process.stderr is not None  # noqa: S101
        _relay({"stdout": process.stdout, "stderr": process.stderr})
    status = process.returncode
    _tell("status", status if status >= 0 else 128 - status)


def _relay(streams: dict[str, IO[bytes]]) -> None:
    """Tell what the streams give, until all have ended."""
    decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in streams}
    with selectors.DefaultSelector() as selector:
        for name, stream in streams.items():
            selector.register(stream, selectors.EVENT_READ, name)
        while selector.get_map():
            for key, _ in selector.select():
                written = os.read(key.fd, _CHUNK)
                text = decoders[key.data].decode(written, final=not written)
                if text:
                    _tell(key.data, text)
                if not written:
                    selector.unregister(key.fileobj)


def _tell(what: str, value: str | int) -> None:
    sys.stdout.write(json.dumps({what: value}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
