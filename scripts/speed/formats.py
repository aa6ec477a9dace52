"""The same samples in formats that a run file could have: their size, and what reading takes.

    .venv/bin/python scripts/speed/formats.py 1100000 3000

Each holds the columns of every case apart. Read are, in a new process, the headline values of all.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from speed.made_run import as_recorded, made_run
from speed.sides import CPU_TIME, MEMORY, here

from cnbench.core.units import format_quantity
from cnbench.store import run_file
from cnbench.store.columns import DISTURBANCES, VALUES, Columns, columns_of

_VALUES = "value"

_READ = {
    "records": """
import sys
from pathlib import Path
from cnbench.store import run_file
run = run_file.read(Path(sys.argv[1]))
sets = [s for case in run.cases for s in (case.samples, case.twin) if s]
print(sum(float(s.values(s.metrics[0]).sum()) for s in sets))
""",
    "Arrow IPC stream": """
import sys, pyarrow as pa
wanted = pa.ipc.IpcReadOptions(included_fields=[0])
with pa.ipc.open_stream(pa.memory_map(sys.argv[1]), options=wanted) as stream:
    print(sum(float(batch.column(0).to_numpy().sum()) for batch in stream))
""",
    "Parquet": """
import sys, pyarrow.parquet as pq
file = pq.ParquetFile(sys.argv[1])
groups = range(file.num_row_groups)
print(sum(float(file.read_row_group(n, ["value"])[0].to_numpy().sum()) for n in groups))
""",
    "SQLite, a blob a column": """
import sys, sqlite3, zlib, numpy as np
found = sqlite3.connect(sys.argv[1]).execute("select data from columns where name = 'value'")
print(sum(float(np.frombuffer(zlib.decompress(data)).sum()) for (data,) in found))
""",
}


def _sets(path: Path) -> Iterator[tuple[str, Columns]]:
    """The samples of each case and twin, with the rest of the case as text."""
    for case in run_file.read(path).cases:
        for samples in (case.samples, case.twin):
            if samples:
                yield json.dumps(case.case.key), columns_of(samples)


def _table(about: str, columns: Columns) -> pa.RecordBatch:
    arrays = {_VALUES: np.asarray(columns.read(VALUES + columns.metrics[0]))}
    for name in columns.names:
        if name != DISTURBANCES and not name.startswith(VALUES):
            arrays[name] = np.asarray(columns.read(name))
    arrays["block"] = arrays["block"].astype(np.int32)
    found = columns.disturbances
    texts = [json.dumps(found[n]) if n in found else None for n in range(len(columns))]
    batch = pa.RecordBatch.from_pydict(arrays | {DISTURBANCES: pa.array(texts, pa.string())})
    return batch.replace_schema_metadata({"case": about})


def _as_records(path: Path, out: Path) -> None:
    run_file.write(run_file.read(path), out)


def _as_arrow(path: Path, out: Path) -> None:
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    batches = [_table(*one) for one in _sets(path)]
    with pa.ipc.new_stream(out, batches[0].schema, options=options) as stream:
        for batch in batches:
            stream.write_batch(batch.cast(batches[0].schema))


def _as_parquet(path: Path, out: Path) -> None:
    batches = [_table(*one) for one in _sets(path)]
    with pq.ParquetWriter(out, batches[0].schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch.cast(batches[0].schema))


def _as_sqlite(path: Path, out: Path) -> None:
    database = sqlite3.connect(out)
    database.execute("create table columns (case_, name, data)")
    for about, columns in _sets(path):
        batch = _table(about, columns)
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            text = name == DISTURBANCES
            raw = json.dumps(column.to_pylist()).encode() if text else column.to_numpy().tobytes()
            database.execute(
                "insert into columns values (?, ?, ?)", (about, name, zlib.compress(raw))
            )
        database.commit()
    database.close()


_WRITE: dict[str, Callable[[Path, Path], None]] = {
    "records": _as_records,
    "Arrow IPC stream": _as_arrow,
    "Parquet": _as_parquet,
    "SQLite, a blob a column": _as_sqlite,
}


def main(counts: list[int]) -> None:
    """Print a line a format and number of samples."""
    print("| format | samples | a sample | CPU time to read one metric | peak memory |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        for count in counts:
            run = Path(name, "run.jsonl")
            as_recorded(*made_run(count), run)
            samples = sum(len(columns) for _, columns in _sets(run))
            for kind, write in _WRITE.items():
                out = Path(name, "out")
                out.unlink(missing_ok=True)
                write(run, out)
                used = [here().used_by(here().python, "-c", _READ[kind], out) for _ in range(5)]
                cpu, memory = (float(np.median([u[f] for u in used])) for f in (CPU_TIME, MEMORY))
                size = format_quantity(out.stat().st_size / samples, "B")
                print(f"| {kind} | {samples:,} | {size} | {format_quantity(cpu, 's')} "
                      f"| {format_quantity(memory, 'B')} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]])
