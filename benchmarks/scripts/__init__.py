"""What the peers are given to run, equal to the scenarios of the same name."""
