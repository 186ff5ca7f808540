"""The report as Markdown, for a comment on a pull request or the summary of a job.

GitHub takes comments of 65,536 characters: tables are cut at so many rows, and say how many are left out. Whatever comes
from elsewhere is escaped or stands in code, so that it shows as it is and mentions nobody.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from stressrunner.reports import sections
from stressrunner.reports.advice import advice
from stressrunner.reports.delivery import DeliverySection, deliveries
from stressrunner.reports.exemplars import SERVE_DEMO, replay, slowest
from stressrunner.reports.table import Column, Fact, Row, Table
from stressrunner.reports.traffic import traffic
from stressrunner.reports.wording import count, printable
from stressrunner.result.model import Result
from stressrunner.units import format_duration

__all__ = ["escaped", "markdown_table", "render"]

_MAX_ROWS = 40  #: of a table
_MAX_SAMPLES = 3  #: of each group of errors
_MAX_REPLAYS = 5  #: groups of errors with a command that sends a request again
_LONGEST = 200  #: characters of a message or of the start of a response
#: What Markdown would take for its own; an underscore within a word is none of it.
_SPECIAL = re.compile(r"[\\`*\[\]|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[#+-](?=\s)|^\d+(?=[.)]\s)")
_BACKTICKS = re.compile(r"`+")


def render(result: Result) -> str:
    """Return the report; what decides stands in front, the figures behind it can be unfolded."""
    blocks = [*_judgement(result), *_unfolded("Figures", _figures(result))]
    for section in deliveries(result):
        blocks += _unfolded("Delivery", _delivery(section))
    if result.errors:
        blocks += _unfolded("Errors", [markdown_table(_errors(result)), *_replays(result)])
    blocks += _unfolded("The run", [_facts("Run", sections.run_facts(result)), _again(result)])
    return "\n\n".join(blocks) + "\n"


def _judgement(result: Result) -> Iterator[str]:
    """Yield the verdict with its reasons, and the thresholds."""
    verdict, validity = result.verdict, result.validity
    mark = sections.MARKS[verdict.outcome]
    yield f"## {mark} {verdict.outcome.upper()}: {escaped(result.run.scenario.name)}"
    if early := sections.early_end(result):
        yield escaped(early)
    if result.run.embedded:
        yield f"> {sections.EMBEDDED}"
    if reasons := sections.reasons(result):
        yield _list(reasons)
    if doubts := sections.doubts(result):
        yield f"{sections.MARKS[validity.state]} The measurement is {validity.state}:"
        yield _list(doubts)
    for warning in sections.warnings(result):
        yield f"{sections.MARKS['warned']} Warning: {escaped(warning)}"
    if result.thresholds:
        yield markdown_table(sections.thresholds(result))
    if places := advice(result):
        yield "\n".join(f"What to do: `{place}`  " for place in places).rstrip()


def _figures(result: Result) -> Iterator[str]:
    yield _facts("Summary", sections.summary(result))
    for table in traffic(result):
        yield markdown_table(table)
    if (slow := slowest(result)) is not None:
        yield markdown_table(slow)


def _delivery(section: DeliverySection) -> Iterator[str]:
    yield f"{section.headline}: {section.outcome.outcome}"
    for table in section.tables:
        yield markdown_table(table)
    yield _facts("Reading back", section.facts)
    for view in section.views:
        shown = [f"{session.title}: {session.summary}" for session in view.sessions]
        yield f"**{escaped(view.title)}**"
        yield _list([*shown, *([view.more] if view.more else [])])


def _errors(result: Result) -> Table:
    """Return the groups of errors with samples, as one table; the samples say which check it is."""
    columns = (
        Column("kind", "left"),
        Column("count"),
        *(Column(title, "left") for title in ("first", "last", "samples")),
    )
    rows = tuple(
        Row(
            (
                group.key.label,
                count(group.count),
                format_duration(group.first_at_s),
                format_duration(group.last_at_s),
                "; ".join(f"{sample.endpoint}: {sample.message}" for sample in group.samples[:_MAX_SAMPLES]),
            )
        )
        for group in result.errors
    )
    return Table("Errors", columns, rows)


def _replays(result: Result) -> Iterator[str]:
    commands = {group.key: replay(result, group) for group in result.errors[:_MAX_REPLAYS]}
    for key, command in commands.items():
        if command:
            yield _shell(f"Send one of {_code(key.title)} again:", command)
    if result.run.embedded and any(commands.values()):
        yield SERVE_DEMO


def _again(result: Result) -> str:
    return _shell("Run it again:", " ".join(map(printable, sections.again(result))))


def _shell(what: str, command: str) -> str:
    fence = "`" * max(3, _longest_run(command) + 1)
    return f"{what}\n\n{fence}sh\n{command}\n{fence}"


def _unfolded(title: str, blocks: Iterable[str]) -> list[str]:
    return [f"<details>\n<summary>{title}</summary>", *blocks, "</details>"]


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {escaped(item)}" for item in items)


def _facts(title: str, facts: Iterable[Fact]) -> str:
    rows = tuple(
        Row((fact.label, f"{fact.value} ({fact.remark})" if fact.remark else fact.value)) for fact in facts
    )
    return markdown_table(Table(title, (Column("", "left", titled=False), Column("", "left")), rows))


def markdown_table(table: Table) -> str:
    """Return a table under its title; a row's note stands in the cell that names the row."""
    head = [escaped(column.title) if column.titled else " " for column in table.columns]
    rule = [":--" if column.align == "left" else "--:" for column in table.columns]
    lines = [_line(head), _line(rule)]
    lines += [_line(_cells(table, row)) for row in table.rows[:_MAX_ROWS]]
    notes = [escaped(note) for note in table.notes]
    if len(table.rows) > _MAX_ROWS:
        notes.append(f"{count(len(table.rows) - _MAX_ROWS)} more are in the other reports.")
    return "\n\n".join([f"**{escaped(table.title)}**", "\n".join(lines), *notes])


def _cells(table: Table, row: Row) -> list[str]:
    is_name = table.columns[table.name_column].titled  # of a label of ours, the title is not shown
    cells = [
        _code(cell) if is_name and i == table.name_column else escaped(_shortened(cell))
        for i, cell in enumerate(row.cells)
    ]
    if row.note:
        cells[table.name_column] += f"<br>{escaped(_shortened(row.note))}"
    return cells


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def escaped(text: str) -> str:
    """Return text of any content as Markdown that shows it; an @ mentions nobody."""
    shown = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\g<0>", shown).replace("@", "@<!-- -->")


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)


def _code(text: str) -> str:
    """Return text as code within a cell of a table, where a bar has to be escaped even so."""
    shown = printable(_shortened(text)).replace("|", "\\|")
    if not shown:
        return ""
    fence = "`" * (_longest_run(shown) + 1)
    room = " " if "`" in (shown[0], shown[-1]) else ""
    return f"{fence}{room}{shown}{room}{fence}"
