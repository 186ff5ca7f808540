"""The embedded target as others use it: a child process for the time of a run, or served in the foreground."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from stressrunner.demo.options import DemoOptions
from stressrunner.hosting import Hosted, HostingFailed, hosted

__all__ = ["running_demo", "serve_forever"]

_TITLE = "the embedded target"


def running_demo(options: DemoOptions, *, port: int = 0) -> AbstractAsyncContextManager[Hosted]:
    """Keep an embedded target running in a process of its own; port 0 takes a free one.

    Raises:
        HostingFailed: the child ended before it answered, or does not answer within 15 s.
    """
    return hosted(_TITLE, "stressrunner.demo", ["--port", str(port), "--options", options.to_url()])


def serve_forever(options: DemoOptions, port: int, on_ready: Callable[[int], None]) -> None:
    """Serve the embedded target in this process until SIGINT or SIGTERM; for the main thread.

    `on_ready` gets the port when requests are answered, which is a free one for port 0.

    Raises:
        HostingFailed: the port is taken or not to be had, or the application did not start.
    """
    from stressrunner.demo.app import build_app  # noqa: PLC0415  a run need not wait for starlette
    from stressrunner.hosting.server import CannotServe, LoopbackServer, listen  # noqa: PLC0415  nor for uvicorn

    try:
        listener = listen(port)
    except OSError as refusal:
        raise HostingFailed(_TITLE, str(refusal)) from None
    try:
        LoopbackServer(build_app(options), listener, on_ready).serve_until_stopped()
    except CannotServe as refusal:
        raise HostingFailed(_TITLE, str(refusal)) from None
