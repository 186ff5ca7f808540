"""Made-up data: it repeats, in whichever order it is asked for, and reaches nobody."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.expressions.fake import FAKE_FIELDS, Fake, problem_of_package


@given(st.integers(0, 2**40), st.permutations(sorted(FAKE_FIELDS)))
def test_fields_do_not_depend_on_their_order(seed, names):
    """The fields of one person are the same in whichever order they are asked for, and in between those of others."""
    one, other, between = Fake(seed, 0), Fake(seed, 0), Fake(seed, 1)
    found = {name: (one[name], between[name])[0] for name in names}
    assert found == {name: other[name] for name in sorted(names)}


def test_somebody_is_one_person():
    """Name and address of somebody belong together, and the address is of a domain that nobody has."""
    somebody = Fake(7)
    assert somebody["name"] == f"{somebody['first_name']} {somebody['last_name']}"
    assert somebody["email"].startswith(somebody["first_name"].lower()[:3])
    assert somebody["email"].endswith("@example.com")


def test_people_differ():
    """Other iterations and uses make up others."""
    assert len({Fake(1, iteration, use)["email"] for iteration in range(50) for use in range(2)}) == 100


def test_all_fields_are_texts():
    """Every field is a text that can be sent, and there are no others."""
    somebody = Fake(1)
    assert all(isinstance(text, str) and text for text in json.loads(json.dumps(dict(somebody))).values())
    assert set(somebody) == FAKE_FIELDS
    with pytest.raises(KeyError):
        somebody["shoe_size"]


def test_a_missing_package_is_told():
    """Without the package there is a hint how to get it."""
    assert problem_of_package(is_there=True) is None
    message, hint = problem_of_package(is_there=False)
    assert "mimesis" in message
    assert "stressrunner[fake]" in hint
