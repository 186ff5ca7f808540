"""Counting: histograms, deltas that merge, the timeline, and the frozen summary of them."""
