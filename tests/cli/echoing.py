"""A handler that repeats all that it is told, in every encoding that it knows, and what a secret looks like in those."""

import base64
import html
import json
import urllib.parse

from hosting.handler_server import JSON, QuietHandler

SECRET = """s3cr"&t<wo/rd>+'7%\\!"""


def forms(secret):
    """Return what a secret looks like in everything that repeats it; in base64, the part that is its own alone."""
    octets = secret.encode()
    found = {
        secret,
        json.dumps(secret)[1:-1],
        html.escape(secret),
        urllib.parse.quote(secret, safe=""),
        repr(secret)[1:-1],
    }
    found |= {
        urllib.parse.quote(secret),
        urllib.parse.quote_plus(secret),
        html.escape(json.dumps(secret)[1:-1]),
    }
    found |= {secret.replace("/", "\\/")}
    for lead in range(3):
        text = base64.b64encode(b"\0" * lead + octets).decode().rstrip("=")
        found.add(text[(lead * 8 + 5) // 6 : (lead + len(octets)) * 8 // 6])
    return {form.lower() for form in found}


class Echo(QuietHandler):
    """Answers with all that it was told, in JSON and beside it in HTML, in a URL and in base64."""

    def answer(self):
        """Repeat the request."""
        body = self.received().decode()
        path = urllib.parse.unquote(self.path)
        status = next((code for code in (302, 500) if f"/{code}/" in path), 200)
        told = f"{path} {body} {SECRET} {html.escape(SECRET)} {urllib.parse.quote(SECRET, safe='')}"
        encoded = [base64.b64encode(b"x" * lead + SECRET.encode()).decode() for lead in range(3)]
        content = json.dumps({"told": told, "headers": dict(self.headers), "encoded": encoded}).encode()
        headers = {**JSON, "Set-Cookie": f"id={urllib.parse.quote(SECRET, safe='')}", "X-Echo": SECRET}
        if status == 302:
            headers["Location"] = f"http://elsewhere.example/{urllib.parse.quote(SECRET)}"
        self.reply(status, content, headers)

    do_GET = do_POST = do_PUT = answer  # noqa: N815  the names that the server looks for
