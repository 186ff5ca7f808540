"""HAR 1.2, what browsers and proxies record: a flow in the order of the recording, or a mix of its requests.

In a flow cookies are left to the jar, and what a response gave and a later request sent is captured. In a mix each
distinct request is an endpoint, weighted by how often it was sent: requests that differ in ids of the path and in values of the query alone are one endpoint, whose recorded values
become the rows of a feeder. What pages load besides data is left out unless it is asked for.
"""

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from stressrunner.authoring.composing import Composer, SourceRequest
from stressrunner.authoring.draft import Draft
from stressrunner.authoring.flow_order import flow_of, with_known_captures, without_twins
from stressrunner.authoring.multipart import DraftPart, file_part, parts_in
from stressrunner.authoring.names import UniqueNames, endpoint_names, environment_name
from stressrunner.authoring.recorded_cookies import JarOfRecording
from stressrunner.authoring.recorded_links import Recorded, linked
from stressrunner.authoring.recurring import merged_requests
from stressrunner.authoring.shapes import mapping, sequence, text_of
from stressrunner.errors import UsageError

__all__ = ["read_har"]

_ASSETS = frozenset({"image", "stylesheet", "script", "font", "media", "manifest", "texttrack"})
_ASSET_TYPE = re.compile(
    r"(?:image|font|audio|video)/|text/css|.*javascript|application/(?:font|x-font|wasm)"
)
_ASSET_PATH = re.compile(
    r"[^?#]*\.(?:png|jpe?g|gif|svg|webp|ico|css|m?js|woff2?|ttf|eot|map|mp4|webm|mp3)(?:[?#]|\Z)",
    re.IGNORECASE,
)
#: What a browser adds, and what says where its user came from.
_OF_BROWSERS = frozenset({"accept-encoding", "user-agent", "referer", "origin", "purpose"})


def read_har(text: str, name: str, composer: Composer, *, with_assets: bool, in_order: bool) -> Draft:
    """Return the requests of a recording: in its order as a flow, or each kind weighted by how often it was sent.

    Raises:
        UsageError: the text is no HAR.
    """
    try:
        log = mapping(mapping(json.loads(text)).get("log"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name}: this is no JSON: {error}") from error
    if "entries" not in log:
        raise UsageError(f"{name}: this is no HAR, which has 'log' with 'entries' in it")
    entries = list(map(mapping, sequence(log.get("entries"))))
    kept = _kept(entries, composer, with_assets=with_assets)
    if in_order:
        return _flow(name, kept, _titles(log), composer)
    found = [_request(entry, f"entry {number}") for number, entry in kept]
    requests, feeders = merged_requests(composer.compose(found, UniqueNames()), endpoint_names())
    return Draft(name, "", composer.base_url, requests, feeders=feeders)


def _flow(
    name: str,
    kept: Sequence[tuple[int, Mapping[str, Any]]],
    titles: Mapping[str, str],
    composer: Composer,
) -> Draft:
    """Return a recording as the flow of a user, who keeps cookies and what responses gave."""
    jar = JarOfRecording()
    recorded = []
    pages = {text_of(entry.get("pageref")) for _, entry in kept}
    for number, entry in kept:
        response = mapping(entry.get("response"))
        headers = tuple(_pairs(response.get("headers")))
        group = titles.get(text_of(entry.get("pageref")), "") if len(pages) > 1 else ""
        source = replace(_with_jar(_request(entry, f"entry {number}"), jar), group=group)
        recorded.append(Recorded(source, _body_of(response), headers))
        jar.took(_pairs(response.get("cookies")), headers)
    if jar.left_out:
        names = ", ".join(list(jar.left_out)[:10])
        composer.notes.add("", f"cookies that no response of the recording sets are left out: {names}")
    found, captures = linked(recorded)
    taken = endpoint_names()
    requests = with_known_captures(
        composer.compose(found, taken), captures, lambda own: f"${{{environment_name(own, 'VALUE')}}}"
    )
    unique, requests = without_twins(requests)
    flow = flow_of(requests, taken)
    return Draft(name, "", composer.base_url, tuple(unique), flow=flow)


def _titles(log: Mapping[str, Any]) -> dict[str, str]:
    """Return a word for every page: the last one of its address, or its title."""
    titles = {}
    for page in map(mapping, sequence(log.get("pages"))):
        title = text_of(page.get("title"))
        address = re.match(r"https?://[^/?#]*([^?#]*)", title)
        last = title if address is None else address[1].rstrip("/").rpartition("/")[2] or "home"
        titles[text_of(page.get("id"))] = f"page {last}"
    return titles


def _body_of(response: Mapping[str, Any]) -> str:
    content = mapping(response.get("content"))
    text = text_of(content.get("text"))
    if content.get("encoding") != "base64":
        return text
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _with_jar(request: SourceRequest, jar: JarOfRecording) -> SourceRequest:
    """Return a request whose cookies are the jar's, but for credentials that it cannot have."""
    pairs = [
        (pair.partition("=")[0].strip(), pair.partition("=")[2].strip())
        for name, value in request.headers
        if name.lower() == "cookie"
        for pair in value.split(";")
    ]
    headers = tuple((name, value) for name, value in request.headers if name.lower() != "cookie")
    return replace(request, headers=headers, cookies=jar.unknown(pair for pair in pairs if pair[0]))


def _kept(
    entries: Sequence[Mapping[str, Any]], composer: Composer, *, with_assets: bool
) -> list[tuple[int, Mapping[str, Any]]]:
    """Return what is worth sending, numbered; what is left out for a reason of its kind is counted in a note."""
    left_out: Counter[str] = Counter()
    found = []
    for number, entry in enumerate(entries, start=1):
        request = mapping(entry.get("request"))
        reason = _reason_against(entry, request, with_assets=with_assets)
        if reason:
            left_out[reason] += 1
        else:
            found.append((number, entry))
    for reason, count in left_out.items():
        composer.notes.add("", f"{count} {'entry is' if count == 1 else 'entries are'} left out: {reason}")
    return found


def _reason_against(entry: Mapping[str, Any], request: Mapping[str, Any], *, with_assets: bool) -> str:
    """Return why an entry is left out; empty when it is not."""
    url = text_of(request.get("url"))
    response = mapping(entry.get("response"))
    if not re.match(r"https?://", url, re.IGNORECASE):
        return "not HTTP"
    if text_of(request.get("method")).upper() == "OPTIONS" and _header(
        request, "access-control-request-method"
    ):
        return "CORS preflights, which browsers send of themselves"
    if response.get("status") == 0:
        return "no response was recorded"
    kind = text_of(mapping(response.get("content")).get("mimeType"))
    resource = text_of(entry.get("_resourceType"))
    is_data = resource in ("xhr", "fetch", "document") or request.get("method") != "GET"
    if (
        not with_assets
        and not is_data
        and (resource in _ASSETS or _ASSET_TYPE.match(kind) or _ASSET_PATH.match(url))
    ):
        return "images, styles, scripts and the like; --with-assets takes them over"
    return ""


def _header(request: Mapping[str, Any], wanted: str) -> str:
    headers = map(mapping, sequence(request.get("headers")))
    return next((text_of(h.get("value")) for h in headers if text_of(h.get("name")).lower() == wanted), "")


def _parts(request: Mapping[str, Any]) -> list[DraftPart]:
    """Return the parts of a multipart form; none where the body is another, or was not recorded."""
    posted = mapping(request.get("postData"))
    kind = _header(request, "content-type") or text_of(posted.get("mimeType"))
    if not kind.lower().startswith("multipart/"):
        return []
    found = parts_in(text_of(posted.get("text")), kind)
    for field in () if found else map(mapping, sequence(posted.get("params"))):
        name, file, own = (text_of(field.get(key)) for key in ("name", "fileName", "contentType"))
        part = file_part(name, file, own) if file else DraftPart(name, text_of(field.get("value")), "", own)
        found += [part] if name else []
    return found


def _pairs(items: Any) -> list[tuple[str, str]]:
    """Return the name and value of each item of a list, as HAR keeps headers, cookies and parameters."""
    found = [
        (text_of(item.get("name")), text_of(item.get("value"))) for item in map(mapping, sequence(items))
    ]
    return [(name, value) for name, value in found if name]


def _request(entry: Mapping[str, Any], place: str) -> SourceRequest:
    request = mapping(entry.get("request"))
    parts = tuple(_parts(request))
    posted = mapping(request.get("postData"))
    headers = [
        (name, value) for name, value in _pairs(request.get("headers")) if name.lower() not in _OF_BROWSERS
    ]
    given = {name.lower() for name, _ in headers}
    cookies = _pairs(request.get("cookies"))
    if cookies and "cookie" not in given:
        headers.append(("cookie", "; ".join(f"{name}={value}" for name, value in cookies)))
    text = text_of(posted.get("text"))
    fields = _pairs(posted.get("params"))
    if (text or fields) and "content-type" not in given and posted.get("mimeType"):
        headers.append(("content-type", text_of(posted.get("mimeType"))))
    status = mapping(entry.get("response")).get("status")
    was_refused = isinstance(status, int) and not isinstance(status, bool) and 400 <= status < 1000
    return SourceRequest(
        place,
        text_of(request.get("method")),
        text_of(request.get("url")),
        headers=tuple(headers),
        body="" if parts else text,
        form=() if text or parts else tuple(fields),
        parts=parts,
        fails_in_body='"errors"' in _body_of(mapping(entry.get("response"))),
        checks=(f"status == {status}",) if was_refused else (),
        comment=f"Answered with {status} when it was recorded." if was_refused else "",
    )
