"""Locust: a body filled in for every request, a check inside the answer's JSON, and a capture from it."""

from itertools import count

from locust import FastHttpUser, task

_NUMBERS = count()


class Sender(FastHttpUser):
    """Sends one request after the other."""

    run_id = 0

    @task
    def send(self) -> None:
        """Send one request, look into its answer and keep a part of it."""
        number = next(_NUMBERS)
        body = {
            "message_content": f"Hello, can you help me? {number}",
            "message_type": "text",
            "session_name": f"session-{number}",
        }
        with self.client.post("/api/v1/agent/simple/run", json=body, catch_response=True) as answer:
            parsed = answer.json()
            if answer.status_code != 200 or not parsed["success"]:
                answer.failure("no success")
            self.run_id = parsed["id"]
