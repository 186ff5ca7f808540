"""Files of rows: the same rows whether they are held or found by an index, whatever is in them, in bounded memory."""

import csv
import io
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.scenario.document import load_document
from stressrunner.scenario.row_file import RowFile, RowIndex, rows_from_wire, rows_to_wire
from stressrunner.scenario.row_walk import RowWalk

# Not a carriage return alone, which the writer of the csv module does not quote.
cells = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=6
) | st.sampled_from(["", "a,b", 'say "x"', "two\nlines", "crlf\r\n", "ä€😀", '"'])
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | cells
SCENARIO = """stressrunner: 1
name: big
target: {base_url: "http://127.0.0.1:8080"}
endpoints: {home: {get: /, query: {q: "{{ users.id }}"}}}
load: {concurrency: 1, duration: 1s}
feeders: {users: {file: %s, order: shuffled}}
"""


@contextmanager
def walked(content, ending, **sizes):
    """Give the walk over a file of such content, which is there until this is left."""
    with TemporaryDirectory() as folder:
        path = Path(folder, f"rows.{ending}")
        path.write_bytes(content)
        with path.open("rb") as opened:
            walk = RowWalk(path, opened, **sizes)
            walk.go()
        yield walk


def check_both(content, ending, expected):
    """Check that a file has these rows, held and indexed, in parts of any size, here and in another process."""
    with walked(content, ending) as held:
        assert (list(held.rows), held.broken) == (expected, [])
    for part_bytes in (1, 30, 1_000_000):
        with walked(content, ending, largest_held=0, part_bytes=part_bytes) as indexed:
            assert isinstance(indexed.rows, RowFile)
            assert indexed.broken == []
            other = rows_from_wire(json.loads(json.dumps(rows_to_wire(indexed.rows))))
            assert list(indexed.rows) == expected
            assert [other[i] for i in reversed(range(len(other)))] == expected[::-1]
            assert indexed.fields == held.fields


def csv_of(header, rows, line_end):
    """Return rows as CSV."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=line_end)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


@given(
    st.lists(st.tuples(cells, cells), min_size=1, max_size=60),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.booleans(),
)
def test_csv_gives_back_its_rows(rows, line_end, bom, is_cut):
    """Whatever the cells hold, a CSV file gives its rows back as text, with or without a last line end and a mark."""
    rows = [row for row in rows if row != ("",)]
    text = csv_of(("a", "b"), rows, line_end)
    text = text[: -len(line_end)] if is_cut else text
    content = text.encode("utf-8-sig" if bom else "utf-8")
    check_both(content, "csv", [{"a": a, "b": b} for a, b in rows])


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.integers(0, 3))
def test_blank_lines_are_no_rows(numbers, blanks):
    """Empty lines in a CSV file, also of one column, are none of its rows."""
    content = "n\n" + "".join(f"{n}\n" + "\n" * (n % (blanks + 1)) for n in numbers)
    check_both(content.encode(), "csv", [{"n": str(n)} for n in numbers])


@given(
    st.lists(st.dictionaries(cells, scalars, max_size=3), min_size=1, max_size=60),
    st.sampled_from([None, 2]),
    st.booleans(),
)
def test_json_gives_back_its_rows(rows, indent, is_ascii):
    """A JSON file gives its rows back with their types, however it is laid out."""
    content = json.dumps(rows, indent=indent, ensure_ascii=is_ascii)
    check_both(content.encode(), "json", rows)


@given(
    st.lists(st.dictionaries(cells, scalars, max_size=3), min_size=1, max_size=60),
    st.booleans(),
    st.booleans(),
)
def test_json_lines_give_back_their_rows(rows, is_ascii, has_blanks):
    """A JSON Lines file gives its rows back with their types, and empty lines are none."""
    end = "\n \r\n" if has_blanks else "\n"
    content = end.join(json.dumps(row, ensure_ascii=is_ascii) for row in rows)
    check_both(content.encode(), "jsonl", rows)


@pytest.mark.parametrize("rows", [["a", 1, None], [[1, 2], [3]]])
def test_rows_may_be_plain_values_or_lists(rows):
    """Rows need not be mappings."""
    check_both(json.dumps(rows).encode(), "json", rows)
    check_both("\n".join(map(json.dumps, rows)).encode(), "ndjson", rows)


@given(st.binary(max_size=80), st.sampled_from(["csv", "json", "jsonl"]), st.sampled_from([0, 1000]))
def test_any_file_is_rows_or_a_mistake(content, ending, largest_held):
    """Whatever stands in a file, it gives rows or mistakes at places in it."""
    with walked(content, ending, largest_held=largest_held, part_bytes=20) as walk:
        assert len(walk.rows) > 0 or walk.broken
    lines = content.decode("utf-8", "replace").count("\n") + 1
    assert all(1 <= broken.line <= lines and broken.column >= 1 for broken in walk.broken)


@given(st.binary(max_size=200), st.integers(1, 60))
def test_mistakes_do_not_depend_on_how_a_file_is_read(content, part_bytes):
    """The same mistakes are found in a CSV file whether it is held or indexed part by part."""
    content = b"a,b\n" + content.replace(b"\0", b",").replace(b"\1", b"\n").replace(b"\2", b'"')
    with (
        walked(content, "csv") as held,
        walked(content, "csv", largest_held=0, part_bytes=part_bytes) as indexed,
    ):
        assert [vars(broken) for broken in indexed.broken] == [vars(broken) for broken in held.broken]
        if not held.broken:
            assert list(indexed.rows) == list(held.rows)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=400), st.sampled_from([2, 4, 16]), st.data())
def test_an_index_stays_small(lengths, most, data):
    """However many rows a file has, an index has so many places at most, and finds every row from one of them."""
    index = RowIndex(stride=1, most=most)
    cuts = data.draw(st.lists(st.integers(0, len(lengths)), max_size=5))
    begins = [sum(lengths[:i]) for i in range(len(lengths) + 1)]
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(lengths)], strict=True):
        index.add(begins[start], *lengths[start:end])
    assert index.count == len(lengths)
    assert len(index.places) <= most
    for block in range(len(index.places)):
        start, end = index.extent(block)
        following = min((block + 1) * index.stride, len(lengths))
        assert (start, end) == (begins[block * index.stride], begins[following])


def test_a_file_that_changes_is_told():
    """A file that was changed after it was checked gives no rows that are not there."""
    with walked(b"a\n1\n2\n", "csv", largest_held=0) as walk:
        os.utime(walk.rows.to_wire()["path"], ns=(0, 0))
        with pytest.raises(ValueError, match="has changed"):
            walk.rows[0]
        with pytest.raises(IndexError):
            walk.rows[2]


def test_files_of_a_megabyte_are_not_held(tmp_path):
    """A large file comes into a scenario as an index, a small one as its rows, and both are the same to a feeder."""
    (tmp_path / "small.csv").write_text("id\n1\n")
    (tmp_path / "large.csv").write_text("id\n" + "".join(f"{i:09}\n" for i in range(110_000)))
    for name, kind in (("small.csv", tuple), ("large.csv", RowFile)):
        (tmp_path / "x.yaml").write_text(SCENARIO % name)
        rows = load_document(tmp_path / "x.yaml", environ={}).rows["users"]
        assert isinstance(rows, kind)
        assert int(rows[len(rows) - 1]["id"]) == (1 if kind is tuple else 109_999)


_MEASURE = """
import random, resource, sys
from contextlib import contextmanager
from pathlib import Path
from stressrunner.plan.plan import compile_plan
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_document

document = load_document(Path(sys.argv[1]), environ={})
rows = compile_plan(build(document), seed=1, run_id="r").rows["users"]
draws = random.Random(1)
for number in [*range(20_000), *(draws.randrange(len(rows)) for _ in range(20_000))]:
    assert rows.row(number)["email"] == f"user{rows.row(number)['id']}@example.com"
print(len(rows), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.soak
def test_a_gigabyte_of_rows_takes_constant_memory(tmp_path):
    """A CSV file of 1 GB is checked and drawn from, shuffled, in a process that never has more than 150 MB."""
    path = tmp_path / "users.csv"
    count = 0
    with path.open("w") as file:
        file.write("id,email,comment\n")
        while file.tell() < 1_000_000_000:
            file.writelines(
                f'{i},user{i}@example.com,"Ms, {i}"\n'
                if i % 10_000 == 0
                else f"{i},user{i}@example.com,none\n"
                for i in range(count, count + 100_000)
            )
            count += 100_000
    (tmp_path / "big.yaml").write_text(SCENARIO % "users.csv")
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(tmp_path / "big.yaml")],
        capture_output=True,
        text=True,
        check=True,
    )
    rows, kilobytes = map(int, done.stdout.split())
    assert rows == count
    assert kilobytes < 150_000
