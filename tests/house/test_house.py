"""The house stands: floors import downwards, the packaging lists every room, public names are documented."""

import ast
import tomllib
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "stressrunner"
#: From the ground up; a floor imports only floors below it.
FLOORS = [
    {"spelling"},
    {"masking", "errors", "scratch", "units", "documentation", "schemas", "shipped"},
    {"hosting"},
    {"sink"},
    {"demo"},
    {"monitor"},
    {"http"},
    {"expressions"},
    {"scenario"},
    {"plan"},
    {"engine"},
    {"metrics"},
    {"fleet"},
    {"verdict"},
    {"result"},
    {"reports"},
    {"authoring"},
    {"run"},
    {"cli", "__main__"},
]
#: What each floor keeps to itself, so that it can be replaced.
HOMES = {
    "yaml": {"scenario"},
    "jsonschema": {"scenario"},
    "jsonpath": {"expressions"},
    "regex": {"expressions"},
    "mimesis": {"expressions"},
    "httpx": {"demo"},
    "httpcore": {"http"},
    "hpack": {"http"},
    "psutil": {"monitor"},
    "starlette": {"hosting", "demo", "sink"},
    "uvicorn": {"hosting"},
    "click": {"cli"},
    "prometheus_client": {"run"},
    "opentelemetry": {"run"},
    "rich": {"cli"},
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(module: Path) -> str:
    """Return the first folder below the package, or the module's own name."""
    return module.relative_to(PACKAGE).with_suffix("").parts[0]


def floor_of(room: str) -> int | None:
    """Return the number of a room's floor, None when it is on none."""
    return next((i for i, rooms in enumerate(FLOORS) if room in rooms), None)


def imported(module: Path) -> set[str]:
    """Return the full names that a module imports."""
    names = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(PACKAGE)))
def test_floors_import_downwards(module):
    """A module imports from its own room and from floors below it."""
    room = room_of(module)
    if room in {"__init__", "__main__"}:
        return
    assert floor_of(room) is not None, f"the room {room} is on no floor"
    for name in imported(module):
        parts = name.split(".")
        if parts[0] != "stressrunner" or floor_of(parts[1]) is None:
            continue
        assert parts[1] == room or floor_of(parts[1]) < floor_of(room), f"{room} imports {name}"


def test_libraries_stay_at_home():
    """Each library that could be replaced is imported by the one room that is its home."""
    for module in MODULES:
        for name in imported(module):
            homes = HOMES.get(name.split(".")[0])
            assert homes is None or room_of(module) in homes, f"{module} imports {name}"


def at_import(module):
    """Yield the modules of the package that a module imports when it is imported itself."""
    pending = list(ast.parse(module.read_text("utf-8")).body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue  # imported later
        pending.extend(ast.iter_child_nodes(node))
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[: i + 1]) for i in range(len(parts)))


def test_no_import_cycles():
    """No module needs, while it is imported, one that needs it: any of them can be imported first."""
    modules = {
        ".".join(m.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): m for m in MODULES
    }
    needs = {
        name: {
            other
            for other in at_import(module)
            if other in modules and not f"{name}.".startswith(f"{other}.")
        }
        for name, module in modules.items()
    }
    TopologicalSorter(needs).prepare()  # raises CycleError, which names the cycle


def test_packages_are_listed():
    """The packaging lists exactly the packages of the tree."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    found = {".".join(m.parent.relative_to(ROOT).parts) for m in MODULES if m.name == "__init__.py"}
    assert sorted(listed) == sorted(
        found | {"stressrunner.documentation", "stressrunner.schemas", "stressrunner.shipped"}
    )


def test_public_names_are_documented():
    """Every public class, function and method has a docstring."""
    bare = []
    for module in MODULES:
        for node in ast.parse(module.read_text("utf-8")).body:
            kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
            inner = [n for n in node.body if isinstance(n, kinds)] if isinstance(node, ast.ClassDef) else []
            public = [n for n in [node, *inner] if isinstance(n, kinds) and not n.name.startswith("_")]
            if isinstance(node, ast.ClassDef) and node.name.startswith("_"):
                continue
            bare += [f"{module.name}:{n.name}" for n in public if not ast.get_docstring(n)]
    assert bare == []


def test_no_class_name_means_two_things():
    """A public class can be spoken of by its name alone, wherever in the tree it is."""
    places = defaultdict(set)
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].add(str(module.relative_to(PACKAGE)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_only_the_command_line_exits_or_prints():
    """Nothing but the command line ends the process or prints."""
    for module in MODULES:
        if room_of(module) == "cli" or module.stem == "__main__":
            continue
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in {"print", "sys.exit", "os._exit", "exit"}, f"{module}: {called}"
