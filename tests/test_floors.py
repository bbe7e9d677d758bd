"""The house stands floor on floor: no room imports upwards, and the package is light to import."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import backprop_lab

PACKAGE = Path(backprop_lab.__file__).parent

# Ground floor first. A room of several modules is a folder; its modules may import each other.
FLOORS = [
    "notation",
    "errors",
    "naming",
    "arrays",
    "graph",
    "operation",
    "shapes",
    "writing",
    "local_derivatives",
    "rules",
    "contractions",
    "functions",
    "extending",
    "confusions",
    "plan",
    "records",
    "nonfinite",
    "passes",
    "derivatives",
    "gradient_check",
    "simplify",
    "one_vector",
    "source",
    "buffers",
    "program",
    "compiling",
    "learning",
    "rounds",
    "data",
    "formulas",
    "equivalence",
    "near_misses",
    "pictures",
    "widgets",
]
ON_REQUEST = {"learning": {"tqdm"}, "data": {"matplotlib"}}  # a progress bar, digits drawn with fonts
LIGHT = {"cli", "__main__", "handout"}  # the command: must answer before anything heavy loads
OUTSIDE = {  # what a room may import at module level, beyond the standard library
    **{floor: {"numpy"} for floor in FLOORS},
    "widgets": {"numpy", "anywidget", "ipywidgets", "traitlets", "IPython", "matplotlib"},
    "pictures.figure": {"numpy", "matplotlib"},  # loads on first use, as a floor does
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
each = pytest.mark.parametrize("module", [m for m in SOURCES if m != "__init__"])


def test_imports_are_found_wherever_they_stand():
    tree = ast.parse(
        "import a.b, c\n"
        "from .graph import d\n"
        "from . import e\n"
        "from .. import cli\n"
        "from backprop_lab import rules\n"
        "def f():\n"
        "    import g\n"
        "    from ..widgets import h\n"
    )
    below = {"pictures.graph", "pictures", "cli", "rules"}
    at_import = {"a.b", "c"} | {f"backprop_lab.{name}" for name in below}
    assert imported("pictures.svg", tree, at_import_only=True) == at_import
    assert imported("pictures.svg", tree) == at_import | {"g", "backprop_lab.widgets"}


def test_every_module_stands_on_a_floor():
    assert {room(module) for module in SOURCES} <= {*FLOORS, *LIGHT, "__init__"}
    assert {"notation", "graph", "rules", "confusions", "passes"} <= set(SOURCES)


@each
def test_no_room_imports_upwards(module):
    here = room(module)
    if here in LIGHT:
        allowed = {*LIGHT, "__version__"}
    else:
        allowed = set(FLOORS[: FLOORS.index(here)])
        allowed |= {here} if (PACKAGE / here).is_dir() else set()
    assert rooms_below(module, SOURCES[module]) <= allowed


@each
def test_a_room_imports_only_what_it_may_from_outside(module):
    at_import = outsiders(module, SOURCES[module], at_import_only=True)
    assert at_import <= OUTSIDE.get(module, OUTSIDE.get(room(module), set()))


@each
def test_the_engine_knows_numpy_only_even_when_it_runs(module):
    if room(module) in FLOORS[: FLOORS.index("pictures")]:
        assert outsiders(module, SOURCES[module]) <= {"numpy"} | ON_REQUEST.get(module, set())


@each
def test_nobody_uses_pyplots_global_state(module):
    assert not {"matplotlib.pyplot", "pylab"} & imported(module, SOURCES[module])
    attributes = (n.attr for n in ast.walk(SOURCES[module]) if isinstance(n, ast.Attribute))
    assert "pyplot" not in attributes


@each
def test_nobody_but_the_command_can_reach_a_network(module):
    ways = {"socket", "ssl", "http", "http.client", "urllib.request", "requests", "httpx"}
    assert room(module) in LIGHT or not ways & imported(module, SOURCES[module])


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
    assert not heavy & loaded_after("from backprop_lab import cli")
