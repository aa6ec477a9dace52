"""What each command imports: nobody waits for a package that their command has no use for."""

import json
import subprocess
import sys

import made_up
import pytest

from cnbench.store import run_file

# What takes long to import, and is not of the standard library.
HEAVY = (
    "asv", "jinja2", "matplotlib", "msgspec", "numpy", "pandas", "pyarrow", "pyperf", "pyroute2",
    "scipy",
)  # fmt: skip
STATISTICS = {"numpy", "scipy"}
# A command, and the heavy packages that it may import.
MAY = {
    "--help": set(),
    "run --help": {"msgspec"},
    "compare --help": {"msgspec", *STATISTICS},
    "gc": set(),
    "list": set(),
    "list cpu-quota": set(),
    "doctor": {"pyroute2"},
    "guest list": set(),
    "services generate --mode iptables": set(),
    "show": {"msgspec", *STATISTICS},
    "show --published": {"msgspec", *STATISTICS},
    "compare latest latest": {"msgspec", *STATISTICS},
    "export --help": {"msgspec"},
    "export --to markdown": {"msgspec", *STATISTICS},
    "export --to openmetrics": {"msgspec", *STATISTICS},
    "export --to pyperf": {"msgspec", "pyperf", *STATISTICS},
    "export --to json": {"msgspec", "numpy"},
    "export --to csv": {"msgspec", "numpy", "pandas", "pyarrow"},
    "fleet report --help": {"msgspec"},
    "report": {"jinja2", "matplotlib", "msgspec", *STATISTICS},
}
PROGRAM = (
    "import json, sys; from cnbench.cli.main import main\n"
    "sys.argv = ['cnbench', *sys.argv[1:]]\n"
    "try: main()\n"
    "except SystemExit as ended: assert ended.code in (None, 0, 3), ended.code\n"
    "finally: print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
)


@pytest.mark.parametrize("command", MAY)
def test_a_command_imports_what_it_needs_and_no_more(command, results):
    results.mkdir()
    run = made_up.run(made_up.result([1.0] * 8, twin=[1.0] * 8))
    run_file.write(run, results / f"{run.id}.json")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *command.split()], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    imported = {name.partition(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}
    assert imported & set(HEAVY) <= MAY[command]
