"""A request as a command of curl that sends it again, with secrets as variables of the shell."""

import base64
import binascii
import re
import shlex
from collections.abc import Iterator, Mapping

from stressrunner.http.origin import Origin
from stressrunner.masking import Masker, is_sensitive, masked_query
from stressrunner.metrics.exemplars import Exemplar
from stressrunner.scenario.model import Target

__all__ = ["curl_line"]


class _Shell:
    """Quotes text for a POSIX shell, with variables in the place of secrets."""

    def __init__(self, variables: Mapping[str, str], mask: Masker) -> None:
        self.variables = variables
        self._mask = mask
        secrets = sorted(variables, key=len, reverse=True)
        self._secrets = re.compile(f"({'|'.join(map(re.escape, secrets))})") if secrets else None

    def knows(self, text: str) -> bool:
        """Return whether a secret that has a variable is in the text."""
        return self._secrets is not None and self._secrets.search(text) is not None

    def quoted(self, text: str) -> str:
        """Return the text as one word; secrets in other forms than their own are masked, before they are quoted."""
        if self._secrets is None:
            return shlex.quote(self._mask.text(text))
        return "".join(
            f'"${self.variables[part]}"' if i % 2 else shlex.quote(self._mask.text(part))
            for i, part in enumerate(self._secrets.split(text))
            if part
        )


def curl_line(
    exemplar: Exemplar, origin: Origin, target: Target, variables: Mapping[str, str], mask: Masker
) -> str:
    """Return the command.

    Args:
        exemplar: what was sent.
        origin: where, when the request names only a path.
        target: how: TLS, proxy, version of HTTP.
        variables: names of environment variables by the secret values that they hold.
        mask: hides what is left of secrets, such as those that are encoded.
    """
    shell = _Shell(variables, mask)
    words = ["curl", *_method(exemplar), *_connection(origin, target, shell)]
    url = exemplar.target if exemplar.target[:1] not in ("/", "*") else _base(origin) + exemplar.target
    if not set(url).isdisjoint("[]{}"):
        words.append("--globoff")
    words.append(shell.quoted(masked_query(url, shell.knows)))
    for name, value in exemplar.request.headers:
        words += _header(name, value, shell)
    return " ".join([*words, *_body(exemplar, shell)])


def _base(origin: Origin) -> str:
    return f"http://{origin.authority}" if origin.socket else origin.url


def _method(exemplar: Exemplar) -> Iterator[str]:
    """Yield how the method is chosen, where it does not follow from the rest."""
    if exemplar.method == "HEAD":
        yield "--head"
    elif exemplar.method != ("POST" if exemplar.request.body_bytes else "GET"):
        yield from ("--request", exemplar.method)


def _connection(origin: Origin, target: Target, shell: _Shell) -> Iterator[str]:
    if target.http == "2":
        yield "--http2" if origin.scheme == "https" else "--http2-prior-knowledge"
    if not target.tls.verify:
        yield "--insecure"
    options = {
        "--unix-socket": origin.socket or None,
        "--cacert": target.tls.ca,
        "--cert": target.tls.certificate,
        "--key": target.tls.key,
        "--proxy": target.proxy,
    }
    for option, value in options.items():
        if value is not None:
            yield from (option, shell.quoted(str(value)))


def _header(name: str, value: str, shell: _Shell) -> Iterator[str]:
    scheme, _, credentials = value.partition(" ")
    if name.lower() == "authorization" and scheme.lower() == "basic":
        pair = _decoded(credentials)
        if shell.knows(pair):
            yield from ("--user", shell.quoted(pair))
            return
    if is_sensitive(name) and not shell.knows(value):
        variable = re.sub(r"\W", "_", name).upper()
        yield from ("--header", f'{shlex.quote(f"{name}: ")}"${variable}"')
        return
    yield from ("--header", shell.quoted(f"{name}: {value}" if value else f"{name};"))


def _decoded(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _body(exemplar: Exemplar, shell: _Shell) -> Iterator[str]:
    body = exemplar.request
    if not body.body_bytes:
        return
    if body.kept == "all":
        yield from ("--data-raw", shell.quoted(body.body))
    else:
        yield from ("--data-binary", f"@BODY  # a file with the body of {body.body_bytes:,} bytes")
