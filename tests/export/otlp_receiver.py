"""A receiver of OTLP over HTTP, as far as a test needs one."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager

from hosting.handler_server import QuietHandler, serving
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

__all__ = ["receiving"]


@contextmanager
def receiving() -> Iterator[tuple[str, list[ExportMetricsServiceRequest]]]:
    """Receive on loopback; yields the URL of the receiver and the messages that came."""
    messages: list[ExportMetricsServiceRequest] = []

    class Handler(QuietHandler):
        def keep(self) -> None:
            body = self.received()
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            if self.path == "/v1/metrics":
                messages.append(ExportMetricsServiceRequest.FromString(body))
            self.reply(200 if self.path == "/v1/metrics" else 404, headers={})

        do_POST = keep  # noqa: N815  the name that the server looks for

    with serving(Handler) as url:
        yield url, messages
