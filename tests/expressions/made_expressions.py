"""Expressions of every kind, and the names that they may find or miss."""

from collections.abc import Mapping

import pytest
from hypothesis import strategies as st
from jinja2 import TemplateSyntaxError

from stressrunner.expressions.environment import environment


class Fields(Mapping):
    """A mapping that is no dict, as the header fields of a response are."""

    def __init__(self, fields):
        self._fields = fields

    def __getitem__(self, name):
        return self._fields[name]

    def __iter__(self):
        return iter(self._fields)

    def __len__(self):
        return len(self._fields)


def makes_sense(source):
    """Return whether Jinja2 can parse an expression."""
    try:
        environment().parse(f"{{{{ {source} }}}}")
    except TemplateSyntaxError:
        return False
    return True


names_ = st.sampled_from(["a", "b", "c", "gone", "result"])
fields = st.sampled_from(["a", "b", "items", "0"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 300)
    | st.floats(allow_nan=False, width=16)
    | st.sampled_from(["", "a", "b", "200", "text", "%s"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(fields, inner, max_size=3),
    max_leaves=5,
)
surroundings = st.fixed_dictionaries(
    {}, optional={name: values | values.map(lambda v: Fields({"a": v})) for name in ("a", "b", "c", "result")}
)
literals = st.sampled_from(["0", "1", "2.5", "200", "'a'", "'items'", "''", "true", "none", "'%s'"])
infix = st.sampled_from(
    [
        "==", "!=", "<", "<=", ">", ">=", "in", "not in", "+", "-", "*", "/", "//", "%", "~", "and", "or",
        "== 1 ==", "< 5 <=", "if true else",
    ]
)  # fmt: skip
prefix = st.sampled_from(["not ", "-", "+", "not not "])
suffix = st.sampled_from(
    [
        "|default(1)", "|default('x', true)", "|d(a)", "|length", "|lower", "|upper", "|int", "|int(default=3)",
        "|float", "|abs", "|round(1)", "|string", "|trim", "|title", "|capitalize", "|wordcount", "|first", "|list",
        "|reverse", "|join(',')", " is defined", " is not defined", " is undefined", " is none", " is not none",
        " is string", " is number", " is mapping", " is sequence", " is odd", " is divisibleby 2", " is in [1, 'a']",
        " is true", " is sameas none", " is integer", " is iterable", " is eq 1", "[0]", "[-1]", "[:1]", "[::2]",
        "['a']", "[true]",
    ]
)  # fmt: skip
expressions = st.recursive(
    names_ | literals,
    lambda inner: st.one_of(
        st.builds("{}.{}".format, names_ | inner.map("({})".format), st.sampled_from(["a", "b", "items"])),
        st.builds("{}[{}]".format, names_ | inner.map("({})".format), inner),
        st.builds("({}){}".format, inner, suffix),
        st.builds("{}{}".format, inner, suffix),
        st.builds("{} {} {}".format, inner, infix, inner),
        st.builds("({}) {} ({})".format, inner, infix, inner),
        st.builds("({}({}))".format, prefix, inner),
        st.builds("({}) if ({}) else ({})".format, inner, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("({}, {})".format, inner, inner),
        st.builds("{{{}: {}, 'b': {}}}".format, inner, inner, inner),
    ),
    max_leaves=6,
).filter(makes_sense)
# Python warns of a lookup such as `1[:2]` where it compiles what Jinja2 makes of it.
of_literals = pytest.mark.filterwarnings("ignore::SyntaxWarning")
