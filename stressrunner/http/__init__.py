"""HTTP exchanges: the seam between engine and network, and the transports behind it."""
