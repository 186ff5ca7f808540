"""The commands. Each one is a thin shell around a function of a lower floor; errors become exit codes here."""

import errno
import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from stressrunner import __version__
from stressrunner.cli import arguments
from stressrunner.cli.mistakes import tell_mistakes
from stressrunner.cli.standard_streams import open_streams, problem
from stressrunner.errors import InvalidScenario, StressrunnerError
from stressrunner.scenario.files import reason_of

__all__ = ["main"]

_OF_GROUP = ("-h", "--help", "--version")  #: options of no command in particular
_NEW_OBJECTS = 20_000  #: between two looks for garbage among them


class _Commands(click.Group):
    """Commands, of which `run` may be left out: `stressrunner scenarios/x.yaml`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = _first_word(args, self.commands["run"])
        is_command = first is None or first in self.commands or args[0] in _OF_GROUP
        if not is_command and _looks_like_a_file(first or ""):
            args = ["run", *args]
        return super().parse_args(ctx, args)


def _first_word(args: list[str], command: click.Command) -> str | None:
    """Return the first word that is no option of a command, nor the value of one."""
    options = [each for each in command.params if isinstance(each, click.Option)]
    with_value = {name for each in options if not (each.is_flag or each.count) for name in each.opts}
    words = iter(args)
    for word in words:
        if not word.startswith("-"):
            return word
        if word in with_value:
            next(words, None)
    return None


def _looks_like_a_file(word: str) -> bool:
    return word.endswith((".yaml", ".yml", ".json")) or "/" in word or Path(word).exists()


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="stressrunner")
def cli() -> None:
    """Run HTTP load that is described in YAML.

    `stressrunner SCENARIO` is short for `stressrunner run SCENARIO`.

    Exit codes: 0 passed, 2 usage or an invalid scenario (nothing was sent), 3 a threshold failed, 4 the run is
    invalid, 5 a comparison is inconclusive, 130 interrupted.
    """


@cli.command()
@arguments.scenario
@arguments.env
@arguments.overrides
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT[=PATH]",
    help="Write a report: text, html, json, junit, markdown, csv or hlog, without a path to stdout; or samples=PATH, every sample as .csv or NDJSON. Repeatable.",
)
@click.option(
    "--template",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Render your own Jinja2 template to stdout.",
)
@arguments.workers
@arguments.seed
@arguments.strict
@click.option(
    "--repeat",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Run up to N times while the generator alone makes the run invalid. Reports of runs before the last are named r.1.json, r.2.json.",
)
@arguments.yes
@click.option(
    "--prometheus",
    metavar="[HOST:]PORT",
    help="Serve live figures to Prometheus, on this machine unless a HOST is given. Needs stressrunner[prometheus].",
)
@click.option(
    "--prometheus-linger",
    callback=arguments.duration_s,
    metavar="DURATION",
    help="How long the last figures are held for a scrape, e.g. 30s; unless given, for one more scrape where some came.",
)
@click.option(
    "--otlp", metavar="URL", help="Push live figures to an OpenTelemetry collector. Needs stressrunner[otlp]."
)
@click.option(
    "-q", "--quiet", is_flag=True, help="Show nothing but the reports that were asked for, and errors."
)
@arguments.verbose
def run(scenario: Path, **options: Any) -> None:
    """Run a scenario and report on it."""
    from stressrunner.cli.run_command import run_scenario  # noqa: PLC0415  costs start-up time
    from stressrunner.cli.run_options import RunOptions  # noqa: PLC0415  costs start-up time

    sys.exit(run_scenario(scenario, RunOptions(**options)))


@cli.command()
@click.argument("files", metavar="FILE|DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@arguments.env
@arguments.overrides
def validate(files: tuple[Path, ...], environment: str | None, overrides: tuple[str, ...]) -> None:
    """Show every mistake of scenario files, of folders and packs of them; send nothing."""
    from stressrunner.cli.validate_command import validate_files  # noqa: PLC0415  costs start-up time

    sys.exit(validate_files(files, environment, overrides))


@cli.command(name="try")
@arguments.scenario
@arguments.env
@arguments.overrides
@click.option("--endpoint", metavar="NAME", help="The first iteration that sends this endpoint of a mix.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Use the same random values as a run with this seed.",
)
def try_(scenario: Path, **options: Any) -> None:
    """Run one iteration and show it in full: requests, responses, checks with their values, captures.

    Exit codes: 0 passed, 3 something failed, 4 nothing answered.
    """
    from stressrunner.cli.try_command import TryOptions, try_scenario  # noqa: PLC0415  costs start-up time

    sys.exit(try_scenario(scenario, TryOptions(**options)))


@cli.command()
@arguments.scenario
@click.argument("path", required=False)
@arguments.env
@arguments.overrides
def explain(scenario: Path, path: str | None, environment: str | None, overrides: tuple[str, ...]) -> None:
    """Show a scenario with all its layers, and the load to expect; with PATH, where values come from.

    PATH names a value or all below it, e.g. load.concurrency or thresholds.
    """
    from stressrunner.cli.explain_command import explain_scenario  # noqa: PLC0415  costs start-up time

    explain_scenario(scenario, path, environment, overrides)


@cli.command()
@click.option("--markdown", is_flag=True, help="The reference of the language as a page, instead.")
@click.option("--pack", "of_packs", is_flag=True, help="The JSON Schema of pack.yaml, instead.")
def schema(*, markdown: bool, of_packs: bool) -> None:
    """Print the JSON Schema of scenario files."""
    from importlib.resources import files  # noqa: PLC0415  costs start-up time

    if markdown:
        from stressrunner.authoring.reference import language_reference  # noqa: PLC0415  costs start-up time

        click.echo(language_reference(), nl=False)
        return
    name = "pack.schema.json" if of_packs else "scenario.schema.json"
    click.echo(files("stressrunner.schemas").joinpath(name).read_text("utf-8"), nl=False)


@cli.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one."
)
@click.option(
    "--options", default="", metavar="QUERY", help="As after demo://agents?, e.g. 'latency=10ms&jitter=0'."
)
def demo(port: int, options: str) -> None:
    """Serve the embedded agents API on this machine until stopped."""
    from stressrunner.demo import DemoOptionError, DemoOptions  # noqa: PLC0415  costs start-up time
    from stressrunner.demo.process import serve_forever  # noqa: PLC0415  costs start-up time

    def announce(ready_port: int) -> None:
        click.echo(f"serving the agents API at http://127.0.0.1:{ready_port}; Ctrl-C stops it")

    try:
        serve_forever(
            DemoOptions.parse(f"demo://agents?{options}" if options else "demo://agents"), port, announce
        )
    except DemoOptionError as error:
        raise click.UsageError(str(error)) from error


@cli.command()
@arguments.result
@click.option(
    "--format",
    "form",
    required=True,
    metavar="FORMAT",
    help="text, html, json, junit, markdown, csv or hlog.",
)
def report(result: Path, form: str) -> None:
    """Render the report of an earlier run again, to stdout."""
    from stressrunner.reports import render  # noqa: PLC0415  costs start-up time
    from stressrunner.result.codec import read_result  # noqa: PLC0415  costs start-up time

    click.echo(render(form, read_result(result)), nl=False)


@cli.command()
@arguments.result
@click.argument("thresholds", nargs=-1)
@arguments.strict
def check(result: Path, thresholds: tuple[str, ...], strict: bool) -> None:
    """Hold an earlier result against thresholds: those given, or else those of its scenario.

    What became of messages and default guards count in either case; a threshold on the same figure lifts a guard.
    """
    from stressrunner.cli.check_command import check_result  # noqa: PLC0415  costs start-up time

    sys.exit(check_result(result, thresholds, strict=strict))


@cli.command()
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("candidate", required=False, type=click.Path(path_type=Path))
@click.option(
    "--runs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of runs per side, alternating. [default: 10]",
)
@click.option(
    "--gate",
    "gates",
    multiple=True,
    metavar="FIGURE[=TOLERANCE]",
    help="A figure that must not get worse, e.g. p95, login.p99=5% or errors=0.5%. Repeatable. [default: p95, errors]",
)
@click.option(
    "--tolerance",
    default="10%",
    show_default=True,
    metavar="PERCENTAGE",
    help="Default allowed regression (ratios: 1 percentage point).",
)
@click.option("--format", "form", default="text", show_default=True, help="text, markdown or json.")
@arguments.env
@click.option("--base-env", "base_environment", metavar="NAME", help="As --env, for the base alone.")
@click.option(
    "--candidate-env", "candidate_environment", metavar="NAME", help="As --env, for the candidate alone."
)
@arguments.overrides
@click.option(
    "--base-set", "base_overrides", multiple=True, metavar="PATH=VALUE", help="As --set, for the base alone."
)
@click.option(
    "--candidate-set",
    "candidate_overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help="As --set, for the candidate alone.",
)
@arguments.workers
@arguments.seed
@arguments.yes
@click.option("-q", "--quiet", is_flag=True, help="Show nothing but the comparison, and errors.")
@arguments.verbose
def compare(base: Path, candidate: Path | None, **options: Any) -> None:
    """Compare a BASE with a CANDIDATE: two results, or two scenarios that are run in turn.

    Of two results the figures are shown with their differences, and nothing follows from them. Scenarios are run
    several times each, and judged: exit code 0 when no figure got worse by more than the tolerance, 3 when one did,
    5 when the runs vary too much to tell. One scenario is enough when --base-set, --candidate-set or their like say
    what differs.
    """
    from stressrunner.cli.compare_command import compare as compare_sides  # noqa: PLC0415  costs start-up time
    from stressrunner.cli.compare_options import CompareOptions  # noqa: PLC0415  costs start-up time

    sys.exit(compare_sides(base, candidate, CompareOptions(**options)))


@cli.command(name="import")
@click.argument("kind", type=click.Choice(["curl", "openapi", "har", "postman"]))
@click.argument("source")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the scenario there instead of to stdout.",
)
@click.option(
    "--base-url", default="", metavar="URL", help="Where the requests go, instead of the source's own."
)
@click.option(
    "--as",
    "traffic",
    type=click.Choice(["flow", "mix"]),
    default=None,
    help="All requests in the order of the source, or each by itself; har and postman are flows by default.",
)
@click.option("--with-assets", is_flag=True, help="har: take over images, scripts, styles and fonts too.")
@click.option("--force", is_flag=True, help="Replace the file when it is there.")
def import_(kind: str, source: str, **options: Any) -> None:
    """Turn SOURCE, a file or - for stdin, into a scenario.

    Secrets become variables of the environment; what cannot be taken over is noted on stderr.
    """
    from stressrunner.cli.import_command import ImportOptions, import_material  # noqa: PLC0415  costs start-up time

    sys.exit(import_material(kind, source, ImportOptions(**options)))


@cli.command()
@arguments.folder
@click.option(
    "--from", "source", type=click.Choice(["agents"]), help="Copy the scenarios that come with stressrunner."
)
def init(folder: Path, source: str | None) -> None:
    """Write a commented first scenario, with its data and the schema for editors, into DIR."""
    from stressrunner.cli.init_command import write_starter  # noqa: PLC0415  costs start-up time

    sys.exit(write_starter(folder, source))


@cli.command(name="help")
@click.argument("topic", required=False)
def help_(topic: str | None) -> None:
    """Show the documentation: the list of its pages, or a page or section of it.

    TOPIC is a page such as troubleshooting, or a section such as high-latency.
    """
    from stressrunner.cli.help_command import show_help  # noqa: PLC0415  costs start-up time

    show_help(topic)


@cli.group()
def pack() -> None:
    """Make, check and look into packs: scenarios with all that belongs to them in one zip file.

    A scenario in a pack is run as agents-1.2.zip//session_queue.yaml.
    """


@pack.command(name="build")
@arguments.folder
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the pack there instead of to NAME-VERSION.zip.",
)
def pack_build(folder: Path, output: Path | None) -> None:
    """Make a pack of DIR, which has a pack.yaml; the same files make the same pack to the byte."""
    from stressrunner.cli.pack_command import build_pack  # noqa: PLC0415  costs start-up time

    build_pack(folder, output)


@pack.command(name="verify")
@arguments.archive
def pack_verify(archive: Path) -> None:
    """Check that every file of a pack is as it was packed."""
    from stressrunner.cli.pack_command import verify_pack  # noqa: PLC0415  costs start-up time

    verify_pack(archive)


@pack.command(name="list")
@arguments.archive
def pack_list(archive: Path) -> None:
    """Show what a pack is, what it needs, and its files."""
    from stressrunner.cli.pack_command import list_pack  # noqa: PLC0415  costs start-up time

    list_pack(archive)


def main(words: Sequence[str] | None = None) -> NoReturn:
    """Run a command line, that of this process unless told, and exit with its code."""
    # Nearly all that is made while packages are imported stays, and to look through it for garbage takes a tenth of that time.
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
    open_streams()
    code = _code_of(words)
    unwritten = problem()
    if unwritten:
        click.echo(f"stressrunner: {unwritten}", err=True)
    # What was to be shown is all that such a command is for.
    sys.exit(2 if unwritten and code is None else code or 0)


def _code_of(words: Sequence[str] | None) -> int | None:
    """Run a command line; return its exit code, None where nothing but its output follows from it."""
    try:
        cli.main(words, standalone_mode=False)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except InvalidScenario as error:
        tell_mistakes(error.diagnostics)
        return error.exit_code
    except StressrunnerError as error:
        click.echo(f"stressrunner: {error}" if error.exit_code != 2 else str(error), err=True)
        return error.exit_code
    except (OSError, RuntimeError) as error:
        if not _is_of_name(error):
            raise
        click.echo(f"a file that was named cannot be had: {reason_of(error)}", err=True)
        return 2
    return None


def _is_of_name(error: Exception) -> bool:
    """Whether it is the name of a file that the system would not have: too long, or links that go round."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENAMETOOLONG, errno.ELOOP)
    return str(error).startswith("Symlink loop")
