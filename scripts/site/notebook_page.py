"""A notebook as a page of the site: carried out while the site is built, with what it showed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter
from traitlets.config import Config

# A cell takes seconds; one that takes longer than this waits for something that never comes.
_LONGEST_CELL = 120


def pages(notebook: Path) -> dict[str, bytes]:
    """The page of ``notebook`` and its pictures, by their names; each is called as the notebook.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    ran = executed(notebook)
    text, resources = MarkdownExporter().from_notebook_node(ran)
    page: dict[str, bytes] = {}
    for name, picture in resources["outputs"].items():
        page[f"{notebook.stem}-{name}"] = picture
        text = text.replace(f"]({name})", f"]({notebook.stem}-{name})")
    text = text.replace('<table border="1"', "<table")  # the style sheet draws it
    page[f"{notebook.stem}.md"] = text.encode()
    return page


def executed(notebook: Path) -> nbformat.NotebookNode:
    """``notebook``, carried out in its folder; what Jupyter writes elsewhere is removed.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    found = nbformat.read(notebook, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"JUPYTER_RUNTIME_DIR": folder, "IPYTHONDIR": folder, "MPLCONFIGDIR": folder}
        client = NotebookClient(
            found,
            timeout=_LONGEST_CELL,
            kernel_name="python3",
            resources={"metadata": {"path": str(notebook.parent)}},
            # Over sockets in that folder, and not over TCP where others could listen.
            config=Config(KernelManager={"transport": "ipc", "ip": f"{folder}/kernel"}),
        )
        return client.execute()
