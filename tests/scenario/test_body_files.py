"""Files of bodies: found beside the text that names them, read where they have placeholders, and named by their paths where not."""

from fractions import Fraction

from stressrunner.plan.plan import compile_plan
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_document
from stressrunner.scenario.model import FileBody, GraphQL, Multipart, Part, Raw, Variants

SCENARIO = """stressrunner: 1
name: bodies
target: {base_url: "http://127.0.0.1:8080"}
variables: {buyer: ada}
payloads:
  message:
    - {weight: 9, json: {text: short}}
    - json: {text: "{{ 'x' * 10 }}"}
endpoints:
  order: {post: /, body_file: data/order.xml.j2}
  photo: {post: /, body_file: data/photo.jpg}
  query: {post: /, graphql: {file: data/user.graphql, variables: {id: "{{ iteration }}"}, operation: User}}
  message: {post: /, json: {$payload: message}}
  upload:
    post: /
    multipart:
      title: 1.10
      left_out: null
      tags: [a, "{{ buyer }}"]
      report: {file: data/photo.jpg, type: image/x}
      blob: {content: "{{ buyer }}", filename: a.bin}
load: {concurrency: 1, duration: 1s}
"""


def test_bodies_of_a_scenario(tmp_path):
    """Every kind of body is what the file says, with its files found."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "order.xml.j2").write_text("<order>{% if true %}{{ buyer }}{% endif %}</order>")
    (data / "photo.jpg").write_bytes(b"\xff\xd8")
    (data / "user.graphql").write_text("query User($id: ID) { user(id: $id) { name } }")
    (tmp_path / "x.yaml").write_text(SCENARIO)
    document = load_document(tmp_path / "x.yaml", environ={})
    scenario = build(document)
    bodies = {name: endpoint.body for name, endpoint in scenario.endpoints.items()}
    photo = (data / "photo.jpg").resolve()
    assert bodies == {
        "order": Raw("<order>{% if true %}{{ buyer }}{% endif %}</order>", "application/xml"),
        "photo": FileBody(photo),
        "query": GraphQL("query User($id: ID) { user(id: $id) { name } }", {"id": "{{ iteration }}"}, "User"),
        "message": Variants((Fraction(9), Fraction(1)), ({"text": "short"}, {"text": "{{ 'x' * 10 }}"})),
        "upload": Multipart(
            (
                Part("title", "1.10"),
                Part("tags", "a"),
                Part("tags", "{{ buyer }}"),
                Part("report", None, photo, None, "image/x"),
                Part("blob", "{{ buyer }}", None, "a.bin"),
            )
        ),
    }
    plan = compile_plan(scenario, seed=1, run_id="r")
    assert plan.endpoints[0].request.render({"buyer": "ada"}).body == b"<order>ada</order>"
    assert "data/order.xml.j2" in document.composed
