"""Locust: a static body and a check on the status."""

from locust import FastHttpUser, task

_BODY = b'{"message_content":"Hello, can you help me?","message_type":"t"}'
_HEADERS = {"Content-Type": "application/json"}


class Sender(FastHttpUser):
    """Sends one request after the other."""

    @task
    def send(self) -> None:
        """Send one request; a status of 400 or more counts as a failure."""
        self.client.post("/api/v1/agent/simple/run", data=_BODY, headers=_HEADERS)
