"""The documents, taken apart: fenced blocks, the commands in them, tables, links and anchors."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w/-]+\.(?:yaml|csv|graphql|j2))\n")
_EXIT_CODE = re.compile(r"\s+# exit code (\d+)$")
_VARIABLE = re.compile(r"[A-Z_]+=")
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block."""

    document: str
    language: str
    text: str


def shown_file(block: Block) -> str | None:
    """Return the name of the file that a block shows, which stands in its first line."""
    named = _FILE.match(block.text)
    return named[1] if named else None


def write_files(document: str, folder: Path) -> list[str]:
    """Write the files that a document shows into a folder; return their names."""
    names = []
    for block in blocks(document, "yaml", "csv", "graphql"):
        name = shown_file(block)
        if name is not None:
            text = block.text if name.endswith(".yaml") else block.text.split("\n", 1)[1]
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")
            names.append(name)
    return names


class Command(NamedTuple):
    """A command of a shell block."""

    variables: dict[str, str]
    words: list[str]
    code: int  #: the exit code that the document promises

    def __str__(self) -> str:
        return shlex.join(self.words)


def read(document: str) -> str:
    """Return the text of a document."""
    return (ROOT / document).read_text("utf-8")


def blocks(document: str, *languages: str) -> list[Block]:
    """Return the fenced blocks of a document in these languages."""
    text = read(document)
    found = [Block(document, language, inner) for language, inner in _FENCE.findall(text)]
    assert len(found) * 2 == len(re.findall(r"^\s*```", text, re.MULTILINE)), f"{document}: a fence is open"
    return [block for block in found if block.language in languages]


def commands(shell: str) -> Iterator[Command]:
    """Yield the commands of a shell text: one a line or joined by `&&`, perhaps sent to the background."""
    for line in shell.splitlines():
        promised = _EXIT_CODE.search(line)
        tokens = shlex.shlex(_EXIT_CODE.sub("", line), posix=True, punctuation_chars="&|;<>")
        tokens.whitespace_split = True
        words: list[str] = []
        for token in [*tokens, "&&"]:
            if token not in {"&&", "&"}:
                assert not set(token) <= set("|;<>"), f"{line}: only && and & can be followed here"
                words.append(token)
            elif words:
                yield _command(words, int(promised[1]) if promised else 0)
                words = []


def _command(words: list[str], code: int) -> Command:
    count = next((i for i, word in enumerate(words) if not _VARIABLE.match(word)), len(words))
    variables = dict(word.split("=", 1) for word in words[:count])
    return Command(variables, words[count:], code)


def links(document: str) -> list[str]:
    """Return where the links of a document lead."""
    return _LINK.findall(_FENCE.sub("", read(document)))


def anchors(document: str) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = _HEADING.findall(_FENCE.sub("", read(document)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def table(document: str, heading: str) -> list[list[str]]:
    """Return the rows of the first table below a heading, its title row left out."""
    text = read(document)
    section = text[text.index(f"## {heading}\n") :]
    rows = re.search(r"^\|.*\n\|[-|]+\n((?:\|.*\n)+)", section, re.MULTILINE)
    assert rows, f"{document}: no table below {heading}"
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[1].splitlines()]
