"""`python -m stressrunner` is the command `stressrunner`."""

from stressrunner.cli import main

main()
