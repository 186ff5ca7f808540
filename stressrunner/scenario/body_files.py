"""The files that bodies are made of: found in the pack, and read where they are templates.

What stands under `body_file`, `file` of a part and `file` of `graphql` is a name until here, and then a mapping: `path`
where the content is sent as it is, `text` and the media `type` where it has placeholders. So a generator needs no pack.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stressrunner.errors import Diagnostic, InvalidScenario
from stressrunner.expressions.bounds import MAX_TEXT
from stressrunner.http.media_types import media_type
from stressrunner.scenario.files import decoded
from stressrunner.scenario.pack_files import NoSuchFile, Pack
from stressrunner.scenario.placeholders import Filled
from stressrunner.scenario.source import Path, ScalarNode, Source
from stressrunner.scenario.values import Text

__all__ = ["LARGEST_FILE", "BodyFiles", "read_body_files", "with_body_files"]

LARGEST_FILE = 100_000_000  #: bytes of a file that is sent
_TEMPLATE_ENDING = ".j2"
_WHAT: Mapping[str, str] = {
    "body_file": "a file to be sent",
    "part_file": "a file to be sent",
    "query_file": "a file with a GraphQL query",
}


@dataclass(slots=True)
class BodyFiles:
    """The files that the texts of a scenario name."""

    found: dict[Path, Mapping[str, str]] = field(default_factory=dict)  #: what takes the place of each name
    texts: list[Text] = field(
        default_factory=list
    )  #: contents with placeholders, to be checked as the scenario's own are
    diagnostics: list[Diagnostic] = field(default_factory=list)


def read_body_files(texts: Sequence[Text], pack: Pack | None) -> BodyFiles:
    """Find the files that texts of a scenario name; those with placeholders are read.

    Each is relative to the text that names it; without a pack the scenario comes from no file and has none.
    """
    files = BodyFiles()
    for text in texts:
        if text.kind in _WHAT and text.filled.text:
            try:
                _read(files, text, pack)
            except NoSuchFile as error:
                files.diagnostics.append(text.node.diagnostic(error.message, error.hint))
            except OSError as error:
                reason = error.strerror or str(error)
                files.diagnostics.append(
                    text.node.diagnostic(f"'{text.filled.text}' cannot be read: {reason}")
                )
            except InvalidScenario as error:
                files.diagnostics += error.diagnostics
    return files


def _read(files: BodyFiles, text: Text, pack: Pack | None) -> None:
    name, folder = text.filled.text, text.node.source.folder
    if pack is None or folder is None:
        raise NoSuchFile(f"'{name}' cannot be found from here", "the scenario comes from no file")
    path = pack.file(folder, name, _WHAT[text.kind])
    is_query = text.kind == "query_file"
    has_placeholders = is_query or (text.kind == "body_file" and path.name.endswith(_TEMPLATE_ENDING))
    largest = MAX_TEXT if has_placeholders else LARGEST_FILE
    if path.stat().st_size > largest:
        raise NoSuchFile(f"'{name}' is larger than {largest // 1_000_000} MB")
    if not has_placeholders:
        files.found[text.path] = {"path": str(path)}
        return
    shown = str(folder / name)
    content = decoded(path.read_bytes(), shown)
    files.found[text.path] = {"text": content, "type": media_type(path.name.removesuffix(_TEMPLATE_ENDING))}
    node = ScalarNode(Source.of(shown, content), 0, len(content), content, plain=False)
    files.texts.append(Text(text.path, "template" if is_query else "body_template", node, Filled(content)))


def with_body_files(value: Any, found: Mapping[Path, Mapping[str, str]]) -> Any:
    """Return a typed scenario in which the files that were found stand in place of their names."""
    for path, file in found.items():
        value = _replaced(value, path, file)
    return value


def _replaced(value: Any, path: Path, file: Mapping[str, str]) -> Any:
    if not path:
        return dict(file)
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        return [_replaced(item, rest, file) if i == step else item for i, item in enumerate(value)]
    return {key: _replaced(item, rest, file) if key == step else item for key, item in value.items()}
