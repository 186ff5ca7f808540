"""What a recording tells of a session: values that came from responses, cookies, parts of forms."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.authoring.importing import Material, import_scenario
from stressrunner.authoring.multipart import STAND_IN, DraftPart, parts_in
from stressrunner.scenario.document import load_text

TOKEN = "c9f0f895fb98ab91"


def entry(url, response=None, *, body=None, headers=(), given=(), encoding="", **answer):
    """Return an entry; `headers` are the request's, `given` the response's."""
    text = json.dumps(response)
    content = {"text": base64.b64encode(text.encode()).decode() if encoding else text, "encoding": encoding}
    request = {"method": "GET" if body is None else "POST", "url": f"http://h{url}"}
    request["headers"] = [{"name": name, "value": value} for name, value in headers]
    if body is not None:
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(body)}
    headers = [{"name": name, "value": value} for name, value in given]
    return {"request": request, "response": {"status": 200, "content": content, "headers": headers, **answer}}


def flow_of(*entries):
    """Return the endpoints of the flow that a recording becomes, and the names of its variables."""
    text = json.dumps({"log": {"entries": entries}})
    made = import_scenario(Material("har", "made", text))
    document = load_text(made.text, environ=dict.fromkeys(made.variables, "value-of-it"))
    return list(document.value["endpoints"].values()), made


@pytest.mark.parametrize(
    ("first", "second", "capture", "used"),
    [
        (entry("/a", {"id": TOKEN}), entry(f"/a/{TOKEN}"), {"a_id": "body.id"}, "/a/{{ a_id }}"),
        (entry("/a", {"id": 80017}), entry("/a/80017/b"), {"a_id": "body.id"}, "/a/{{ a_id }}/b"),
        (entry("/a", [{"x y": TOKEN}]), entry(f"/b/{TOKEN}"), {"x_y": "body[0]['x y']"}, "/b/{{ x_y }}"),
        (entry("/a", {"id": TOKEN}, encoding="base64"), entry(f"/{TOKEN}"), {"a_id": "body.id"}, "/{{ a_id }}"),
        (entry("/a", given=[("X-Token", TOKEN)]), entry(f"/{TOKEN}"), {"X_Token": "headers['x-token']"}, "/{{ X_Token }}"),
        (entry("/a", {"id": "short"}), entry("/a/short"), None, "/a/short"),
        (entry("/a", {"day": "2025-03-01"}), entry("/a/2025-03-01"), None, "/a/2025-03-01"),
        (entry("/a", [{"id": 1}, {"id": TOKEN}]), entry(f"/a/{TOKEN}"), None, f"/a/{TOKEN}"),
        (entry(f"/a/{TOKEN}", {"id": TOKEN}), entry(f"/a/{TOKEN}/b"), None, f"/a/{TOKEN}/b"),
        (entry("/a", {"id": f"{TOKEN} and more"}), entry(f"/a/{TOKEN}"), None, f"/a/{TOKEN}"),
    ],
)  # fmt: skip
def test_what_a_response_gave_is_captured(first, second, capture, used):
    """A value that can only have come from a response is captured there, and sent as what was captured."""
    (one, two), _ = flow_of(first, second)
    assert one.get("capture") == capture
    assert two["get"] == used


@pytest.mark.parametrize(
    ("made", "url", "capture", "used"),
    [
        ({"id": 26}, "/items/26", {"item_id": "body.id"}, "/items/{{ item_id }}"),
        ({"item": {"id": "a"}}, "/items/a/b?c=26", {"item_id": "body['item'].id"}, "/items/{{ item_id }}/b"),
        ({"id": 26}, "/orders/26", None, "/orders/26"),
        ({"id": 26}, "/items/2", None, "/items/2"),
        ({"count": 26}, "/items/26", None, "/items/26"),
        ({"list": [{"id": 26}]}, "/items/26", None, "/items/26"),
    ],
)
def test_what_a_request_made_is_found_below_its_path(made, url, capture, used):
    """The id of what was made is captured when a later path names it there, however short it is."""
    (one, two), _ = flow_of(entry("/items", made, body={}), entry(url))
    assert one.get("capture") == capture
    assert two["get"] == used


def test_what_was_there_before_was_not_made():
    """An id that a request has named before is that of something else."""
    (_, two, three), _ = flow_of(
        entry("/items/26/a"), entry("/items", {"id": 26}, body={}), entry("/items/26")
    )
    assert "capture" not in two
    assert three["get"] == "/items/26"


def test_what_was_captured_is_used_wherever_it_was_sent():
    """In a path, a query, a header behind its scheme, and in JSON with the type that it has."""
    sent = entry(
        "/x?t=80017",
        body={"id": 80017, "deep": [{"t": TOKEN}]},
        headers=[("Authorization", f"Bearer {TOKEN}")],
    )
    (_, two), made = flow_of(entry("/a", {"token": TOKEN, "number": 80017}), sent)
    assert two["query"] == {"t": "{{ number }}"}
    assert two["auth"] == {"bearer": "{{ token }}"}
    assert two["json"] == {"id": "{{ number }}", "deep": [{"t": "{{ token }}"}]}
    assert TOKEN not in made.text


def test_cookies_are_left_to_the_jar():
    """A cookie that a response has set is not written down; a credential from before is asked for, others are noted."""
    cookies = [("Cookie", f"sid={TOKEN}; remember_token=8f14e45fceea; theme=dark")]
    entries = [entry("/a", given=[("Set-Cookie", f"sid={TOKEN}; Path=/")]), entry("/b", headers=cookies)]
    (_, two), made = flow_of(*entries)
    assert two["cookies"] == {"remember_token": "value-of-it"}
    assert made.notes == ("cookies that no response of the recording sets are left out: theme",)
    assert TOKEN not in made.text


def test_equal_requests_are_one_endpoint():
    """What was sent several times is written once and named in the flow as often."""
    text = json.dumps({"log": {"entries": [entry("/a"), entry("/b"), entry("/a")]}})
    document = load_text(import_scenario(Material("har", "made", text)).text, environ={})
    assert document.value["flow"] == ["get_a", "get_b", "get_a"]
    assert len(document.value["endpoints"]) == 2


names = st.text(
    st.characters(codec="ascii", exclude_characters='"\\\r\n', exclude_categories=["Cc"]), min_size=1
)
contents = st.text(st.characters(exclude_characters="\r\ue000\ue001", exclude_categories=["Cs"]))
fields = st.tuples(names, contents).map(lambda given: DraftPart(*given))
files = st.builds(
    lambda name, file: DraftPart(name, STAND_IN, file.replace("/", "_"), "text/x-y"), names, names
)


@given(st.lists(fields.filter(lambda part: "--edge" not in part.content) | files, max_size=4))
def test_parts_are_read_as_they_were_written(parts):
    """The parts of a recorded body come back with their names, contents and types; files with other content."""
    written = ""
    for part in parts:
        file = f'; filename="{part.filename}"\r\nContent-Type: {part.type}' if part.filename else ""
        content = "of the file" if part.filename else part.content
        written += f'--edge\r\nContent-Disposition: form-data; name="{part.name}"{file}\r\n\r\n{content}\r\n'
    assert parts_in(f"{written}--edge--\r\n", "multipart/form-data; boundary=edge") == parts


@pytest.mark.parametrize("kind", ["", "multipart/form-data", "text/plain; boundary=", "a; boundary=other"])
def test_what_has_no_parts(kind):
    """Without a boundary, or with that of another body, there are no parts."""
    assert parts_in('--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--edge--', kind) == []
