"""What happened to every message of every session: pure, from attempts and histories to a verdict."""
