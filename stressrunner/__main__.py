"""The command `stressrunner`, also as `python -m stressrunner`: everything is imported where an interrupt is caught."""

import os
import sys
from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line of this process, and exit with its code."""
    try:
        from stressrunner.cli import main as command  # noqa: PLC0415  an interrupt while it is imported is one too

        command()
    except KeyboardInterrupt:
        os.write(2, b"interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
