"""The paths of a graph, lit one by one in JupyterLab with a real kernel and a real Chromium."""

from __future__ import annotations

import nbformat
import pytest

from tools import lab

GRAPHS = [
    "import numpy as np, backprop_lab as bl",
    "x1, x2 = bl.variable('x1', 3.0), bl.variable('x2', 2.0)\n"
    "y1 = x1 + x2\n"
    "y2 = x1 * x2\n"
    "z = y1 * y2\n"
    "both = bl.explore.paths(z, x1)\n"
    "both",
    "from tools import graphs\n"
    "ladder = graphs.fork_ladder(4)\n"
    "bl.explore.paths(ladder, next(n for n in bl.backward(ladder)))",
    "network = graphs.lecture(penalty=True)\n"
    "bl.explore.paths(network, next(n for n in bl.backward(network) if n.name == 'w'))",
    "square = graphs.same_input_twice()\nbl.explore.paths(square, square.inputs[0])",
    "long = graphs.fork_ladder(20)\nbl.explore.paths(long, next(n for n in bl.backward(long)))",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    root = tmp_path_factory.mktemp("notebooks")
    cells = [nbformat.v4.new_code_cell(source) for source in GRAPHS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, root / "paths.ipynb")
    with lab.jupyter(root, tmp_path_factory.mktemp("settings")) as server:
        yield server
