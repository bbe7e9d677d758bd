"""The public names: one list in the package, from which the rest follows."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import backprop_lab as bl

NAMES = [name for homes in bl.PUBLIC.values() for names in homes.values() for name in names]


def test_every_public_name_is_there_and_listed_once():
    assert all(hasattr(bl, name) for name in NAMES)
    assert len(NAMES) == len(set(NAMES)) and dir(bl) == sorted(NAMES)


def test_editors_and_type_checkers_are_shown_the_same_names():
    tree = ast.parse(Path(bl.__file__).read_text("utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    shown = [f"{line.module.removeprefix('backprop_lab.')}.{line.names[0].name}" for line in block.body]
    homes = [f"{home}.{n}" for part in bl.PUBLIC.values() for home, names in part.items() for n in names]
    assert sorted([*shown, "graph.node.Node"]) == sorted(homes)


@pytest.mark.slow
def test_importing_everything_leaves_pythons_own_names_alone():
    code = (
        "import builtins\nbefore = {name: getattr(builtins, name) for name in dir(builtins)}\n"
        "from backprop_lab import *\n"
        "assert all(eval(name) is known for name, known in before.items() if name[0].islower())\n"
        "variable, sgd, data.moons"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_name_that_is_none_is_refused_with_those_there_are():
    with pytest.raises(AttributeError, match=r"no 'grad'; its public names: .*gradient.*variable"):
        bl.grad  # noqa: B018


def public_functions():
    """{name: function} of all that is called by a learner, methods and the parts of modules as well."""
    found = {}
    for name in NAMES:
        public = getattr(bl, name)
        if inspect.ismodule(public):
            found |= {
                f"{name}.{n}": getattr(public, n) for n in public.__all__ if callable(getattr(public, n))
            }
        elif inspect.isclass(public):
            members = inspect.getmembers(public, lambda m: inspect.isfunction(m) or isinstance(m, property))
            found |= {f"{name}.{n}": getattr(m, "fget", m) for n, m in members if not n.startswith("_")}
        else:
            found[name] = public
    return found


@pytest.mark.parametrize("name", public_functions())
def test_every_public_function_says_what_it_takes_and_gives(name):
    signature = inspect.signature(public_functions()[name])
    parameters = [p for p in signature.parameters.values() if p.name != "self"]
    assert [p.name for p in parameters if p.annotation is p.empty] == []
    assert signature.return_annotation is not signature.empty
