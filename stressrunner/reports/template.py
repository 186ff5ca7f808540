"""A report from a template of one's own: `--template FILE`.

The file is a Jinja2 template (https://jinja.palletsprojects.com). It sees one name, `result`, whose fields are those of
`stressrunner.result.model.Result` and named as in the result file: `result.verdict.outcome`,
`result.totals.response_time.p95_s`, `result.endpoints["login"].error_ratio`, and so on. Five filters write figures
as the other reports do, and `-` for a figure that is missing:

    {{ 0.0123 | duration }}           12.3 ms
    {{ 1234567 | bytes }}             1.23 MB
    {{ 0.025 | ratio }}               2.5 %
    {{ 16.21 | rate }}                16.2/s
    {{ t.measured | quantity(t.dimension) }}    a threshold's value in its own unit

Values are escaped for HTML when the file's name ends in `.html` or `.html.j2`. A template is sandboxed: it can read the
result and nothing else. A name that does not exist is an error.
"""

import traceback
from collections.abc import Callable
from pathlib import Path

from jinja2 import StrictUndefined, Template, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from stressrunner.errors import UsageError
from stressrunner.reports.wording import duration, encodable, optional, ratio, size
from stressrunner.result.model import Result
from stressrunner.scenario.files import bounded
from stressrunner.units import Dimension, format_quantity, format_rate

__all__ = ["load_template"]

_LARGEST_TEMPLATE = 5_000_000  #: bytes


def load_template(path: str | Path) -> Callable[[Result], str]:
    """Read and compile a template; the function returned writes a result with it.

    Raises:
        UsageError: the file cannot be read or is not a template, now; it fails on a result, when that is written.
            The message names file and line.
    """
    try:
        source = bounded(Path(path), _LARGEST_TEMPLATE).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise UsageError(f"cannot read the template {path}: {reason}") from error
    template = _compile(source, str(path))

    def write(result: Result) -> str:
        try:
            return encodable(template.render(result=result))
        except Exception as error:
            # A template can raise anything, and none of it is a defect of stressrunner.
            reason = str(error) or type(error).__name__
            raise UsageError(f"{path}:{_line_of(error, str(path))}: {reason}") from error

    return write


def _compile(source: str, path: str) -> Template:
    environment = ImmutableSandboxedEnvironment(
        autoescape=path.lower().endswith((".html", ".html.j2")),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "duration": duration,
        "bytes": size,
        "ratio": ratio,
        "rate": _rate,
        "quantity": _quantity,
    }
    try:
        # Compiled under its path, so that a traceback names the template's own lines.
        code = environment.compile(source, name=path, filename=path)
    except TemplateSyntaxError as error:
        raise UsageError(f"{path}:{error.lineno}: {error.message}") from error
    return Template.from_code(environment, code, environment.make_globals(None))


def _line_of(error: Exception, path: str) -> int:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return (lines[-1] if lines else None) or 1


def _rate(per_second: float | None) -> str:
    return optional(per_second, format_rate)


def _quantity(value: float | None, dimension: Dimension) -> str:
    return optional(value, lambda known: format_quantity(known, dimension))
