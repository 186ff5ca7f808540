"""The sink as a Starlette application.

POST /v1/chat/completions     as OpenAI's, streamed or not; takes its time, may fail, is logged
POST /echo                    answers with the body as it came; likewise
GET  /log                     what was seen, token by token
GET  /health
"""

import time

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from stressrunner.hosting.simulation import Faults, ModelDelay
from stressrunner.sink.completions import Completion, InvalidRequest, error_body, read_question
from stressrunner.sink.log import TokenLog, tokens_in
from stressrunner.sink.options import SinkOptions

__all__ = ["build_app"]


def build_app(options: SinkOptions) -> Starlette:
    """Return the application that behaves as the options say."""
    sink = _Sink(options)
    return Starlette(
        routes=[
            Route("/v1/chat/completions", sink.complete, methods=["POST"]),
            Route("/echo", sink.echo, methods=["POST"]),
            Route("/log", sink.log, methods=["GET"]),
            Route("/health", _health, methods=["GET"]),
        ]
    )


class _Sink:
    def __init__(self, options: SinkOptions) -> None:
        self._latency = ModelDelay(options.latency_s, options.jitter_s, options.seed)
        self._faults = Faults(options.error_ratio, options.seed)
        self._log = TokenLog()
        self._completions = 0

    async def complete(self, request: Request) -> Response:
        """Answer a question to the model."""
        try:
            question = read_question(await request.body())
        except InvalidRequest as wrong:
            return JSONResponse(error_body(str(wrong), "invalid_request_error"), 400)
        if not await self._process(question.text):
            return JSONResponse(error_body("simulated failure", "server_error"), 500)
        self._completions += 1
        completion = Completion(f"chatcmpl-{self._completions}", int(time.time()), question)
        if question.is_streamed:
            return StreamingResponse(completion.events(), media_type="text/event-stream")
        return JSONResponse(completion.whole())

    async def echo(self, request: Request) -> Response:
        """Answer with what was sent."""
        body = await request.body()
        if not await self._process(body.decode("utf-8", "replace")):
            return Response("simulated failure", 500)
        return Response(body, media_type=request.headers.get("content-type"))

    async def _process(self, text: str) -> bool:
        """Log a text and take the time of a model; return whether there is an answer."""
        tokens = tokens_in(text)
        self._log.arrived(tokens, time.monotonic_ns())
        await self._latency.elapse()
        if self._faults.strike():
            self._log.failed(tokens)
            return False
        return True

    async def log(self, _request: Request) -> Response:
        """Answer with what was seen so far."""
        return JSONResponse(self._log.snapshot().to_json())


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "healthy"})
