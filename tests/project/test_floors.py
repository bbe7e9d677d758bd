"""The house stands floor on floor: no room imports upwards, and the package is light to import."""

import ast
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import backprop_lab

PACKAGE = Path(backprop_lab.__file__).parent

# Ground floor first; rooms of one line stand side by side and do not know each other.
FLOORS = [
    {"words"},
    {"graph"},
    {"rules"},
    {"passes"},
    {"program", "pictures"},
    {"learning", "browser"},
    {"exercises", "explorers"},
    {"stepping"},
    {"training_lab"},
    {"command"},
]
LOOSE = {"__init__", "__main__", "notebooks"}  # what else lies at the top; the last in a wheel only
ENGINE = {"words", "graph", "rules", "passes", "program", "learning"}
ON_REQUEST = {"learning.descent": {"tqdm"}, "learning.data": {"matplotlib"}}  # a bar, fonts
JUPYTER = {"numpy", "anywidget", "ipywidgets", "traitlets", "IPython", "matplotlib"}
OUTSIDE = {  # what is imported at module level, beyond the standard library; numpy alone if not here
    **dict.fromkeys(("browser", "exercises", "explorers", "stepping", "training_lab"), JUPYTER),
    "pictures.figure": {"numpy", "matplotlib"},  # loads on first use, as a floor does
    "command": set(),  # must answer before anything heavy loads
}


def sources():
    """{module below the package, dotted: its syntax tree}."""
    paths = sorted(path for path in PACKAGE.rglob("*.py") if "notebooks" not in path.parts)
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): ast.parse(path.read_bytes())
        for path in paths
    }


def room(module):
    return module.split(".")[0]


def imported(module, tree, at_import_only=False):
    """The dotted names of all modules that this one imports, relative ones made absolute."""
    waiting, found = [tree], set()
    while waiting:
        node = waiting.pop()
        if at_import_only and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        waiting.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            here = ["backprop_lab", *module.split(".")]
            start = here[: len(here) - node.level] if node.level else []
            base = ".".join([*start, *filter(None, [node.module])])
            if base == "backprop_lab":
                found.update(f"backprop_lab.{alias.name}" for alias in node.names)
            else:
                found.add(base)
    return found


def rooms_below(module, tree, **how):
    names = imported(module, tree, **how)
    return {name.split(".")[1] for name in names if name.startswith("backprop_lab.")}


def outsiders(module, tree, **how):
    tops = {name.split(".")[0] for name in imported(module, tree, **how)}
    return tops - set(sys.stdlib_module_names) - {"backprop_lab"}


SOURCES = sources()
each = pytest.mark.parametrize("module", [m for m in SOURCES if room(m) not in LOOSE])


def test_imports_are_found_wherever_they_stand():
    tree = ast.parse(
        "import a.b, c\n"
        "from .graph import d\n"
        "from . import e\n"
        "from .. import command\n"
        "from backprop_lab import rules\n"
        "def f():\n"
        "    import g\n"
        "    from ..stepping import h\n"
    )
    below = {"pictures.graph", "pictures", "command", "rules"}
    at_import = {"a.b", "c"} | {f"backprop_lab.{name}" for name in below}
    assert imported("pictures.svg", tree, at_import_only=True) == at_import
    assert imported("pictures.svg", tree) == at_import | {"g", "backprop_lab.stepping"}


def floor(name):
    return next(i for i, rooms in enumerate(FLOORS) if name in rooms)


def test_every_module_stands_in_a_room_on_a_floor():
    rooms = {name for rooms in FLOORS for name in rooms}
    assert {room(module) for module in SOURCES} == rooms | LOOSE - {"notebooks"}
    assert {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.name != "__pycache__"} <= (
        rooms | LOOSE | {"py.typed"}
    )


def test_no_room_bears_the_name_of_something_public():
    assert not {name for rooms in FLOORS for name in rooms} & {*backprop_lab.__all__, "practice"}


@each
def test_no_room_imports_upwards_or_sideways(module):
    below = {name for rooms in FLOORS[: floor(room(module))] for name in rooms}
    version = {"__version__"} if room(module) == "command" else set()
    assert rooms_below(module, SOURCES[module]) <= below | {room(module)} | version


def test_modules_of_one_room_import_each_other_one_way_only():
    within = {
        module: {
            name.removeprefix("backprop_lab.")
            for name in imported(module, tree)
            if name.startswith(f"backprop_lab.{room(module)}.")
        }
        for module, tree in SOURCES.items()
        if room(module) not in LOOSE
    }
    TopologicalSorter(within).prepare()  # raises CycleError, which names the circle


@each
def test_an_init_says_what_lives_in_its_room_and_defines_nothing(module):
    if module.endswith("__init__"):
        (words,) = SOURCES[module].body
        assert len(words.value.value.strip().splitlines()) <= 5 and "first" in words.value.value


@each
def test_a_room_imports_only_what_it_may_from_outside(module):
    at_import = outsiders(module, SOURCES[module], at_import_only=True)
    assert at_import <= OUTSIDE.get(module, OUTSIDE.get(room(module), {"numpy"}))


@each
def test_the_engine_knows_numpy_only_even_when_it_runs(module):
    if room(module) in ENGINE:
        assert outsiders(module, SOURCES[module]) <= {"numpy"} | ON_REQUEST.get(module, set())


@each
def test_nobody_uses_pyplots_global_state(module):
    assert not {"matplotlib.pyplot", "pylab"} & imported(module, SOURCES[module])
    attributes = (n.attr for n in ast.walk(SOURCES[module]) if isinstance(n, ast.Attribute))
    assert "pyplot" not in attributes


@each
def test_nobody_but_the_command_can_reach_a_network(module):
    ways = {"socket", "ssl", "http", "http.client", "urllib.request", "requests", "httpx"}
    assert room(module) == "command" or not ways & imported(module, SOURCES[module])


def loaded_after(statement):
    """The top-level modules that a fresh Python has loaded after a statement, but not before."""
    code = (
        f"import sys; before = set(sys.modules); {statement}; "
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


def test_importing_the_package_brings_in_numpy_and_nothing_else():
    loaded = loaded_after("import backprop_lab") - set(sys.stdlib_module_names)
    assert loaded == {"backprop_lab", "numpy"}


def test_drawing_a_graph_loads_no_widgets():
    run = "import backprop_lab as bl; bl.draw(bl.variable('x', 1.0) * 2)"
    assert not loaded_after(run) & {"ipywidgets", "anywidget", "IPython", "matplotlib"}


def test_the_command_answers_without_loading_jupyter_or_pictures():
    heavy = {"jupyterlab", "matplotlib", "ipywidgets", "anywidget", "IPython", "nbformat"}
    assert not heavy & loaded_after("from backprop_lab.command import cli")
