"""``python -m cnbench``: the command, where the script beside the interpreter is not on PATH."""

from cnbench.cli.main import main

if __name__ == "__main__":
    main()
