"""Puts the checkout on the path: the benchmarks are run from there and are not installed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
