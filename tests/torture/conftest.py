"""Where the harness finds what other tests know: the host's state, and made-up runs."""

import sys
from pathlib import Path

for beside in ("lab", "report"):
    folder = str(Path(__file__).parent.parent / beside)
    if folder not in sys.path:
        sys.path.append(folder)
