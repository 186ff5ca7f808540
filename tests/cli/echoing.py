"""A handler that repeats all that it is told, in every encoding that it knows, and what finds a secret in all of those."""

import base64
import binascii
import html
import json
import re
import urllib.parse

from hosting.handler_server import JSON, QuietHandler

SECRET = """s3cr"&t<wo/rd>+'7% =\\!"""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){8,}")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)


def leaked(text, secrets):
    """Return which secrets can be read in a text, by whoever undoes up to three encodings."""
    found = set()
    seen, level = set(), {text}
    for depth in range(4):
        found |= {secret for secret in secrets for each in level if secret.lower() in each.lower()}
        seen |= level
        level = {said for each in level for said in _undone(each, quick=depth > 0)} - seen
    return sorted(found)


def _undone(text, *, quick):
    """Yield what a text says with one kind of encoding undone; with `quick`, base64 only of what is short."""
    yield urllib.parse.unquote(text)
    yield urllib.parse.unquote_plus(text)
    yield html.unescape(text)
    yield _ESCAPE.sub(lambda found: _unescaped(found[1]), text)
    if quick and len(text) > 100_000:
        return
    wrapped = [_from_base64(run[0][lead:]) for run in _BASE64.finditer(text) for lead in range(4)]
    yield " ".join(wrapped)
    yield " ".join(bytes.fromhex(run[0]).decode("utf-8", "replace") for run in _HEX.finditer(text))


def _unescaped(escape):
    if escape[0] == "u" and len(escape) == 5:
        return chr(int(escape[1:], 16))
    return {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}.get(escape, escape)


def _from_base64(run):
    run = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(
            run[: len(run) // 4 * 4] + run[len(run) // 4 * 4 :].ljust(4, "=")
            if len(run) % 4 != 1
            else run[:-1]
        ).decode("utf-8", "replace")
    except binascii.Error:
        return ""


class Echo(QuietHandler):
    """Answers with all that it was told, in JSON and beside it in HTML, in URLs, in base64, and each within others."""

    def answer(self):
        """Repeat the request."""
        body = self.received().decode()
        path = urllib.parse.unquote(self.path)
        status = next((code for code in (302, 500) if f"/{code}/" in path), 200)
        told = f"{path} {body} {SECRET} {html.escape(SECRET)} {urllib.parse.quote(SECRET, safe='')}"
        encoded = [base64.b64encode(b"x" * lead + SECRET.encode()).decode() for lead in range(3)]
        content = json.dumps(
            {"told": told, "headers": dict(self.headers), "encoded": encoded, "nested": self.nested()}
        ).encode()
        headers = {**JSON, "Set-Cookie": f"id={urllib.parse.quote(SECRET, safe='')}", "X-Echo": SECRET}
        if status == 302:
            headers["Location"] = f"http://elsewhere.example/{urllib.parse.quote(SECRET)}?{self.returning()}"
        self.reply(status, content, headers)

    def returning(self):
        """Return a query with a URL in it that has a URL in it."""
        inner = urllib.parse.urlencode({"key": SECRET})
        return urllib.parse.urlencode({"next": f"/login?{urllib.parse.urlencode({'to': f'/home?{inner}'})}"})

    def nested(self):
        """Return the secret in several encodings one within the other."""
        in_json = json.dumps({"key": SECRET})
        return {
            "json": json.dumps({"inner": in_json}),
            "html": html.escape(in_json),
            "url": self.returning(),
            "basic": base64.b64encode(in_json.encode()).decode(),
            "twice": base64.b64encode(base64.b64encode(SECRET.encode())).decode(),
            "hex": SECRET.encode().hex(),
            "hex in base64": base64.b64encode(SECRET.encode().hex().encode()).decode(),
        }

    do_GET = do_POST = do_PUT = answer  # noqa: N815  the names that the server looks for
