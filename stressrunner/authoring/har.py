"""HAR 1.2, what browsers and proxies record: each distinct request an endpoint, weighted by how often it was sent.

Requests that differ in ids of the path and in values of the query alone are one endpoint, whose recorded values
become the rows of a feeder. What pages load besides data is left out unless it is asked for.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from stressrunner.authoring.composing import Composer, SourceRequest
from stressrunner.authoring.draft import Draft
from stressrunner.authoring.names import UniqueNames, endpoint_names
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


def read_har(text: str, name: str, composer: Composer, *, with_assets: bool) -> Draft:
    """Return the requests of a recording.

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
    requests, feeders = merged_requests(
        composer.compose(_requests(entries, composer, with_assets=with_assets), UniqueNames()),
        endpoint_names(),
    )
    return Draft(name, "", composer.base_url, requests, variables=composer.variables, feeders=feeders)


def _requests(
    entries: Sequence[Mapping[str, Any]], composer: Composer, *, with_assets: bool
) -> list[SourceRequest]:
    """Return what is worth sending; what is left out for a reason of its kind is counted in a note."""
    left_out: Counter[str] = Counter()
    found = []
    for number, entry in enumerate(entries, start=1):
        request = mapping(entry.get("request"))
        reason = _reason_against(entry, request, with_assets=with_assets)
        if reason:
            left_out[reason] += 1
        else:
            found.append(_request(entry, request, f"entry {number}"))
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
    if _kind_of_body(request).startswith("multipart/"):
        return "multipart forms cannot be sent yet"
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


def _kind_of_body(request: Mapping[str, Any]) -> str:
    kind = text_of(mapping(request.get("postData")).get("mimeType"))
    return (_header(request, "content-type") or kind).lower()


def _pairs(items: Any) -> list[tuple[str, str]]:
    """Return the name and value of each item of a list, as HAR keeps headers, cookies and parameters."""
    found = [
        (text_of(item.get("name")), text_of(item.get("value"))) for item in map(mapping, sequence(items))
    ]
    return [(name, value) for name, value in found if name]


def _request(entry: Mapping[str, Any], request: Mapping[str, Any], place: str) -> SourceRequest:
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
        body=text,
        form=() if text else tuple(fields),
        checks=(f"status == {status}",) if was_refused else (),
        comment=f"Answered with {status} when it was recorded." if was_refused else "",
    )
