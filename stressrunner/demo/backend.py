"""The model backend of the embedded target, when it has one: any service that speaks OpenAI's chat completions."""

from typing import Any, Self

import httpx

from stressrunner.demo.queues import RunFailed

__all__ = ["ModelBackend"]

_TIMEOUT_S = 60.0
_MODEL = "demo"


class ModelBackend:
    """Asks a model at `url`, to which `/chat/completions` is added. To be entered before it is used, and left."""

    def __init__(self, url: str) -> None:
        # Loopback or a machine nearby: proxies of the environment are meant for neither.
        self._client = httpx.AsyncClient(
            base_url=url,
            timeout=_TIMEOUT_S,
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
        )

    async def complete(self, text: str) -> str:
        """Return the model's answer to a text; raises RunFailed when there is none."""
        question = {"model": _MODEL, "messages": [{"role": "user", "content": text}]}
        try:
            response = await self._client.post("chat/completions", json=question)
            response.raise_for_status()
            answer: Any = response.json()["choices"][0]["message"]["content"]
        except (httpx.HTTPError, ValueError, LookupError, TypeError) as problem:
            raise RunFailed(f"the model backend failed: {problem!r}") from None
        return str(answer)

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self._client.aclose()
