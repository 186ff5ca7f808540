"""The engine: when iterations are released, and what each one does. It waits through its clock and anyio alone."""
