"""The plan: what will be sent and when, compiled so that what can fail before the first request fails here."""
