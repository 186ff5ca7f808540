"""Counting: histograms, tallies that merge, the timeline, and the frozen summary of them."""
