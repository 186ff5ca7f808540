"""A report from a template of one's own: what it can say, and how it fails."""

import pytest
from reports.example_results import EXAMPLES

from stressrunner.errors import UsageError
from stressrunner.reports.template import load_template

FAILED = EXAMPLES["failed"]()


@pytest.fixture
def written(tmp_path):
    """Return a function that renders a template with some text."""

    def render(source, name="report.md.j2"):
        path = tmp_path / name
        path.write_text(source, encoding="utf-8")
        return load_template(path)(FAILED)

    return render


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ result.verdict.outcome }}\n", "failed\n"),
        ("{{ result.totals.response_time.p95_s | duration }}", "331 ms"),
        ("{{ result.totals.error_ratio | ratio }}", "2.5 %"),
        ("{{ result.totals.throughput_per_s | rate }}", "16.7/s"),
        ("{{ result.endpoints['agent_run'].bytes_sent | bytes }}", "37.2 kB"),
        (
            "{% for t in result.thresholds[:2] %}{{ t.measured | quantity(t.dimension) }};{% endfor %}",
            "2.5 %;331 ms;",
        ),
        (
            "{{ result.thresholds[6].measured | quantity('ratio') }} {{ none | rate }} {{ none | duration }}",
            "- - -",
        ),
    ],
)
def test_a_template_sees_the_result(written, source, text):
    """Fields are reached by their names, and the filters write figures as the other reports do."""
    assert written(source) == text


def test_values_are_escaped_in_html_alone(written):
    """The name of the template's file decides whether its output is HTML."""
    source = "{{ result.thresholds[0].text }}"
    assert written(source, "report.html.j2") == written(source, "REPORT.HTML") == "errors &lt; 1%"
    assert written(source, "report.md") == "errors < 1%"


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("a\n{% for %}", 2, "Expected an expression"),
        ("{{ 1 | nofilter }}", 1, "No filter named 'nofilter'"),
        ("a\n\n{{ result.nothing }}", 3, "has no attribute 'nothing'"),
        ("\n{{ nothing }}", 2, "'nothing' is undefined"),
        ("\n\n\n{{ 1 / 0 }}", 4, "division by zero"),
        ("{{ result.run.__class__.__mro__ }}", 1, "unsafe"),
        ("{{ result.errors.append(1) }}", 1, "has no attribute 'append'"),
        ("{% for i in range(10 ** 9) %}{% endfor %}", 1, "Range too big"),
        ("{% include 'other' %}", 1, "no loader for this environment"),
    ],
)
def test_a_mistake_is_named_with_its_line(written, tmp_path, source, line, reason):
    """What is wrong in a template, or forbidden to it, is an error of usage at file and line."""
    with pytest.raises(UsageError) as caught:
        written(source)
    assert str(caught.value).startswith(f"{tmp_path / 'report.md.j2'}:{line}: ")
    assert reason in str(caught.value)


def test_a_template_that_cannot_be_read_is_named(tmp_path):
    """A missing file and a binary one are errors of usage, too."""
    with pytest.raises(UsageError, match=r"cannot read the template .*missing\.j2: No such file"):
        load_template(tmp_path / "missing.j2")
    (tmp_path / "binary.j2").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="it is not a text file"):
        load_template(tmp_path / "binary.j2")
