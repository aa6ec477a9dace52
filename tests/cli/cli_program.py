"""The command with one more folder of experiments, for this process and for others."""

from pathlib import Path

EXTRA = Path(__file__).parent / "extra_experiments"
# What the console command does, with one more folder of experiments.
PROGRAM = (
    "import sys; from cnbench import experiments; "
    f"experiments.__path__ = [*experiments.__path__, {str(EXTRA)!r}]; "
    "from cnbench.cli.main import main; main()"
)
