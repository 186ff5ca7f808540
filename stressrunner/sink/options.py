"""How the sink behaves, and how that is written as arguments of its process."""

from dataclasses import dataclass

__all__ = ["SinkOptions"]


@dataclass(frozen=True, slots=True)
class SinkOptions:
    """The simulated model behind the sink: how long it takes and how often it fails."""

    port: int = 0  #: on 127.0.0.1; 0 takes a free one
    latency_s: float = 0.0  #: in the middle
    jitter_s: float = 0.0  #: how far an answer may be from `latency_s`, either way
    error_ratio: float = 0.0  #: 0 to 1, of the answers
    seed: int = 0  #: of latencies and errors

    def arguments(self) -> list[str]:
        """Return the command line that `parse` reads as these options."""
        values = {
            "port": self.port,
            "latency-s": self.latency_s,
            "jitter-s": self.jitter_s,
            "error-ratio": self.error_ratio,
            "seed": self.seed,
        }
        return [f"--{name}={value}" for name, value in values.items()]

    @classmethod
    def parse(cls, arguments: list[str] | None = None) -> "SinkOptions":
        """Read a command line, by default that of this process; ends it with a usage message when it is wrong."""
        from argparse import ArgumentParser  # noqa: PLC0415  only the sink's own process reads a command line

        parser = ArgumentParser(
            prog="python -m stressrunner.sink", description="A stand-in for a model backend."
        )
        defaults = cls()
        parser.add_argument(
            "--port", type=int, default=defaults.port, help="on 127.0.0.1; 0 takes a free one"
        )
        parser.add_argument("--latency-s", type=float, default=defaults.latency_s)
        parser.add_argument("--jitter-s", type=float, default=defaults.jitter_s)
        parser.add_argument("--error-ratio", type=float, default=defaults.error_ratio, help="0 to 1")
        parser.add_argument("--seed", type=int, default=defaults.seed)
        read = parser.parse_args(arguments)
        return cls(read.port, read.latency_s, read.jitter_s, read.error_ratio, read.seed)
