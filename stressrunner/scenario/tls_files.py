"""The files of `target.tls`: found in the pack, and tried, so that a bad one is told before the first request."""

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from stressrunner.errors import Diagnostic
from stressrunner.http.tls import client_context
from stressrunner.scenario.pack_files import NoSuchFile, Pack
from stressrunner.scenario.source import Node, Path, node_at

__all__ = ["check_tls", "tls_files", "with_tls_files"]

_PATH: Path = ("target", "tls")
_FILES = ("ca", "certificate", "key")


def tls_files(root: Node, value: Any, pack: Pack | None) -> dict[str, FilePath | NoSuchFile]:
    """Return the files that a typed scenario names under `target.tls`, or why there is none.

    Each is relative to the text that names it; without a pack the scenario comes from no file and has none.
    """
    found: dict[str, FilePath | NoSuchFile] = {}
    tls = _tls(value)
    for key in _FILES:
        name = tls.get(key)
        if not isinstance(name, str) or not name:
            continue
        try:
            found[key] = _file(pack, node_at(root, (*_PATH, key)).source.folder, name)
        except NoSuchFile as error:
            found[key] = error
    return found


def check_tls(root: Node, value: Any, files: Mapping[str, FilePath | NoSuchFile]) -> Iterator[Diagnostic]:
    """Yield what is wrong with `target.tls`, whose files `tls_files` has looked for."""
    tls = _tls(value)
    for name, file in files.items():
        if isinstance(file, NoSuchFile):
            yield node_at(root, (*_PATH, name)).diagnostic(file.message, file.hint)
    if tls.get("verify") is False and "ca" in tls:
        yield node_at(root, (*_PATH, "ca")).diagnostic(
            "'verify: false' trusts every server, so 'ca' means nothing", "remove one of them"
        )
    if "key" in tls and "certificate" not in tls:
        yield node_at(root, (*_PATH, "key")).diagnostic(
            "a key belongs to a certificate", "name its file under 'certificate'"
        )
    ca, certificate, key = (files.get(name) for name in _FILES)
    if isinstance(ca, FilePath) and tls.get("verify") is not False and (reason := _refused(ca, None, None)):
        yield node_at(root, (*_PATH, "ca")).diagnostic(f"'{tls['ca']}' has no certificate in PEM", reason)
    if isinstance(certificate, FilePath) and not isinstance(key, NoSuchFile):
        reason = _refused(None, certificate, key)
        if reason:
            message = f"'{tls['certificate']}' has no certificate with its key in PEM"
            yield node_at(root, (*_PATH, "certificate")).diagnostic(message, reason)


def with_tls_files(value: Mapping[str, Any], files: Mapping[str, FilePath | NoSuchFile]) -> Mapping[str, Any]:
    """Return a typed scenario with the paths of its TLS files made absolute, so that they mean the same anywhere."""
    if not files:
        return value
    target = value["target"]
    resolved = {key: str(file) for key, file in files.items()}
    return {**value, "target": {**target, "tls": {**target["tls"], **resolved}}}


def _tls(value: Any) -> Mapping[str, Any]:
    target = value.get("target") if isinstance(value, dict) else None
    tls = target.get("tls") if isinstance(target, dict) else None
    return tls if isinstance(tls, dict) else {}


def _file(pack: Pack | None, folder: FilePath | None, name: str) -> FilePath:
    if pack is None or folder is None:
        raise NoSuchFile(f"'{name}' cannot be found from here", "the scenario comes from no file")
    return pack.file(folder, name, "a PEM file")


def _refused(ca: FilePath | None, certificate: FilePath | None, key: FilePath | None) -> str:
    """Return why TLS settings cannot be made of these files; nothing when they can."""
    try:
        client_context(ca_file=ca, certificate=certificate, key=key)
    except ssl.SSLError as error:
        return error.reason.replace("_", " ").lower() if error.reason else "it wants both as lines of PEM"
    except OSError as error:
        return error.strerror or str(error)
    return ""
