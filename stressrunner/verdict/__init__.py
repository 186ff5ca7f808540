"""Judging: thresholds, validity and the verdict; pure functions of what was measured."""
