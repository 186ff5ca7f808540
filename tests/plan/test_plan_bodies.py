"""Bodies: what is sent of multipart forms, files, GraphQL operations and variants, and what is not made twice."""

import json
from collections import Counter
from email import message_from_bytes
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_scenarios import endpoint, request

from stressrunner.errors import GeneratorFault
from stressrunner.expressions import CannotEvaluate
from stressrunner.http.media_types import media_type
from stressrunner.plan.bodies import REQUEST_NUMBER, compile_body
from stressrunner.plan.judging import Judge
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.scenario.model import FileBody, Form, GraphQL, Json, Multipart, Part, Raw, Variants

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def parts_of(body, content_type):
    """Return the parts of a multipart body as name, filename, type and content, as another program reads them."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    found = []
    for part in message_from_bytes(head + body).get_payload():
        name = part.get_param("name", header="content-disposition")
        content_type = part.get_content_type() if part["content-type"] else None
        found.append((name, part.get_filename(), content_type, part.get_payload(decode=True)))
    return found


def sent(*parts, names=None):
    """Return the parts that are sent of a multipart body."""
    compiled = compile_body(Multipart(parts))
    return parts_of(compiled.render(names or {}), compiled.content_type)


def test_parts_of_a_form_with_files(tmp_path):
    """Values, contents and files are parts with names, filenames and types of their own."""
    file = tmp_path / "sample.pdf"
    file.write_bytes(b"%PDF\r\n\0\xff")
    assert sent(
        Part("title", "Quarterly {{ n }}"),
        Part("n", "{{ n }}"),
        Part("report", file=file),
        Part("report", file=file, filename="{{ n }}.bin", content_type="x/y"),
        Part("blob", "{{ 'x' * 3 }}", filename="a.json"),
        Part("typed", "1", content_type="text/csv"),
        names={"n": 7},
    ) == [
        ("title", None, None, b"Quarterly 7"),
        ("n", None, None, b"7"),
        ("report", "sample.pdf", "application/pdf", b"%PDF\r\n\0\xff"),
        ("report", "7.bin", "x/y", b"%PDF\r\n\0\xff"),
        ("blob", "a.json", "application/json", b"xxx"),
        ("typed", None, "text/csv", b"1"),
    ]


def test_null_leaves_a_part_out():
    """A part whose value is null when the request is made is not sent."""
    assert sent(Part("a", "{{ x }}"), Part("b", "c"), names={"x": None}) == [("b", None, None, b"c")]


def test_names_cannot_break_out_of_their_header():
    """Quotes and line ends in names are escaped as browsers do."""
    body = compile_body(Multipart((Part('a"\r\nb', "x", filename="{{ f }}"),))).render({"f": 'c"\r\nd: e'})
    assert b'name="a%22%0D%0Ab"; filename="c%22%0D%0Ad: e"\r\n' in body


@given(st.lists(texts, min_size=1, max_size=5))
def test_contents_come_back_as_they_are(contents):
    """Whatever the parts hold, another program reads the same out of them."""
    names = {f"v{i}": text for i, text in enumerate(contents)}
    parts = tuple(Part(f"p{i}", f"{{{{ v{i} }}}}", filename="x.bin") for i in range(len(contents)))
    found = sent(*parts, names=names)
    assert [(name, content.decode()) for name, _, _, content in found] == [
        (f"p{i}", text) for i, text in enumerate(contents)
    ]


def test_the_boundary_repeats_and_differs(tmp_path):
    """The boundary is the same in every process and run, and another one for other parts."""
    file = tmp_path / "f"
    types = []
    for content in ("a", "a", "b"):
        file.write_text(content)
        types.append(compile_body(Multipart((Part("x", file=file),))).content_type)
    assert types[0] == types[1] != types[2]


def test_what_does_not_change_is_made_once(tmp_path):
    """A file, and a body without placeholders, is the same object in every request."""
    file = tmp_path / "large.bin"
    file.write_bytes(b"x" * 100_000)
    bodies = [
        FileBody(file),
        Multipart((Part("a", "b"), Part("file", file=file))),
        Json({"a": 1}),
        Raw("text"),
        GraphQL("{ a }"),
    ]
    for body in bodies:
        compiled = compile_body(body)
        assert compiled.is_constant
        assert compiled.render({}) is compiled.render({"a": 1})
    assert not compile_body(Multipart((Part("a", "{{ b }}"), Part("file", file=file)))).is_constant


def test_a_file_is_sent_as_it_is(tmp_path):
    """A file is the body, byte for byte, with the type that its ending tells unless a header does."""
    file = tmp_path / "order.xml"
    file.write_bytes(b"<a>{{ not a placeholder }}</a>\r\n\xff")
    made = request(method="POST", body=FileBody(file))
    assert (made.body, made.headers) == (file.read_bytes(), (("Content-Type", "application/xml"),))
    made = request(method="POST", body=FileBody(file), headers={"content-type": "x/y"})
    assert made.headers == (("content-type", "x/y"),)
    with pytest.raises(GeneratorFault, match="'gone' cannot be read any more"):
        compile_body(FileBody(tmp_path / "gone"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.JSON", "application/json"),
        ("a.b.png", "image/png"),
        ("a", "application/octet-stream"),
        ("a.x", "application/octet-stream"),
    ],
)
def test_endings_tell_media_types(name, kind):
    """The ending of a file tells its type; where it does not, it is bytes."""
    assert media_type(name) == kind


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=4).filter(any), st.integers(0, 2**40), st.integers(0, 9)
)
def test_variants_come_as_often_as_their_weights(weights, seed, rounds):
    """Over whole blocks of requests each variant is sent exactly as often as its weight says, in a seeded order."""
    variants = Variants(tuple(map(Fraction, weights)), tuple({"n": i} for i in range(len(weights))))
    compiled = compile_body(variants, seed=seed, use="e")
    size = sum(weights)
    numbers = range(rounds * size, (rounds + 1) * size)
    drawn = [json.loads(compiled.render({REQUEST_NUMBER: i}))["n"] for i in numbers]
    assert Counter(drawn) == Counter({i: weight for i, weight in enumerate(weights) if weight})
    again = compile_body(variants, seed=seed, use="e")
    assert [json.loads(again.render({REQUEST_NUMBER: i}))["n"] for i in numbers] == drawn


def test_variants_have_placeholders_and_types():
    """A variant is filled as any JSON body is."""
    compiled = compile_body(Variants((Fraction(1),), ({"n": "{{ n }}", "s": "{{ 'x' * 4 }}"},)))
    assert json.loads(compiled.render({REQUEST_NUMBER: 0, "n": 5})) == {"n": 5, "s": "xxxx"}
    assert compiled.content_type == "application/json"


@pytest.mark.parametrize(
    ("body", "sent_as"),
    [
        (GraphQL("{ a }"), {"query": "{ a }"}),
        (
            GraphQL("query A { a(b: {c: {d: 1}}) }", {"id": "{{ n }}", "x": None}, "A"),
            {
                "query": "query A { a(b: {c: {d: 1}}) }",
                "variables": {"id": 7, "x": None},
                "operationName": "A",
            },
        ),
        (GraphQL("{ a(n: {{ n }}) }", {}), {"query": "{ a(n: 7) }", "variables": {}}),
    ],
)
def test_graphql_is_sent_as_json(body, sent_as):
    """An operation is sent as JSON, its variables with their types."""
    made = request({"n": 7}, method="POST", body=body)
    assert json.loads(made.body) == sent_as
    assert made.headers == (("Content-Type", "application/json"),)


def replied(body, *checks, status=200):
    """Return outcome and problem of a reply to a GraphQL operation."""
    return Judge(endpoint(body=GraphQL("{ a }"), checks=checks)).judge(
        status, {"status": status, "body": body}, {}
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"errors": [{"message": "no such field"}, {}]}, "body.errors: no such field"),
        ({"errors": [{"code": 5}], "data": {}}, 'body.errors: {"code":5}'),
        ({"errors": "broken"}, "body.errors: broken"),
    ],
)
def test_errors_in_a_graphql_reply_fail_it(body, message):
    """A reply with errors has failed although its status is 200, and says what the first error is."""
    assert replied(body) == (Outcome.FAILED, Problem("graphql", message))
    assert replied(body, "status == 200") == (Outcome.FAILED, Problem("graphql", message))


def test_findings_tell_of_graphql_errors():
    """What people are shown of a reply has its errors among the checks."""
    judge = Judge(endpoint(body=GraphQL("{ a }")))
    assert judge.findings(200, {"status": 200, "body": {"errors": ["x"]}})[1:] == [
        ("not body.errors", False, "body.errors: x")
    ]


@pytest.mark.parametrize("body", [{"data": {"a": 1}}, {"data": None, "errors": []}, {"errors": None}, []])
def test_graphql_replies_without_errors_pass(body):
    """A reply passes when nothing stands under errors."""
    assert replied(body)[0] is Outcome.OK


def test_a_check_on_errors_decides():
    """Where a check names the errors, it alone says which are right."""
    body = {"errors": [{"message": "expected"}]}
    assert replied(body, "body.errors[0].message == 'expected'")[0] is Outcome.OK
    assert replied({}, "body.errors is defined")[1].kind == "check"


def test_a_graphql_reply_is_json():
    """A page is no reply to an operation; a status of 400 and more is the problem before its errors are."""

    class Page(dict):
        def __getitem__(self, name):
            if name == "body":
                raise CannotEvaluate("the body is not JSON")
            return super().__getitem__(name)

    judge = Judge(endpoint(body=GraphQL("{ a }")))
    assert judge.needs_body
    assert judge.judge(200, Page(), {})[1] == Problem("graphql", "the body is not JSON")
    assert judge.judge(502, Page(), {})[1].kind == "http 502"


def test_constant_forms_and_texts_make_constant_requests():
    """Without placeholders anywhere, a request is made once, whatever its body is."""
    for body in (Form({"a": "b", "c": None}), Raw("x"), Json([1])):
        compiled = compile_body(body)
        assert compiled.is_constant
