"""Who executes a plan: this process."""
