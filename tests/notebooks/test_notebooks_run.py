"""The notebooks as somebody runs them: alone, twice in one kernel, offline, with the solutions put in.

nbval compares the outputs with the saved ones; here they are compared with those of a second run, since
learners run cells again, and of other processors: OpenBLAS and NumPy choose their loops by the processor, and
last digits differ with it.
"""

from __future__ import annotations

import ast
import platform
import re
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import numpy as np
import pytest
from kernels import NOTEBOOKS, SECONDS, code, run_alone, started
from nbclient.exceptions import CellExecutionError, DeadKernelError


@cache
def two_runs(path):
    """The outputs of a notebook in a kernel of its own, and those of a second run in it."""
    sources = code(path)
    with TemporaryDirectory() as folder:
        outputs = run_alone(sources * 2, folder, 2 * SECONDS)
        assert list(Path(folder).iterdir()) == []
    return outputs[: len(sources)], outputs[len(sources) :]


def assert_same(path, once, again):
    for source, one, other in zip(code(path), once, again, strict=True):
        assert one == other, f"another output:\n{source}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_runs_alone_and_offline_and_twice_with_the_same_outputs(path, kernel):
    assert_same(path, *two_runs(path))


# Which loops OpenBLAS takes, of those that every x86-64 of the last fifteen years can run; without the newer
# instructions of its own NumPy, too, takes other ones.
PROCESSORS = {"Haswell": (), "Zen": (), "Prescott": np.show_config("dicts")["SIMD Extensions"]["found"]}
HAS_THEM = platform.machine() in ("x86_64", "AMD64") and "openblas" in str(np.show_config("dicts"))
on_x86 = pytest.mark.skipif(not HAS_THEM, reason="not x86-64 with OpenBLAS")


@contextmanager
def kernel_on(processor, folder):
    """A kernel that computes as on that processor."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENBLAS_CORETYPE", processor)
        patch.setenv("NPY_DISABLE_CPU_FEATURES", " ".join(PROCESSORS[processor]))
        with started(folder) as run:
            yield run


@on_x86
@pytest.mark.parametrize("processor", PROCESSORS)
def test_the_notebooks_have_the_same_outputs_on_another_processor(processor, kernel, tmp_path):
    with kernel_on(processor, tmp_path) as run:
        for path in NOTEBOOKS:
            assert_same(path, two_runs(path)[0], run(code(path)))


@on_x86
def test_other_processors_do_compute_other_last_digits(kernel, tmp_path):
    sums = "import numpy as np; a = np.random.default_rng(0).random((3, 400)); print((a @ a.T).tolist())"
    found = set()
    for processor in PROCESSORS:
        with kernel_on(processor, tmp_path) as run:
            found.add(str(run([sums])))
    assert len(found) > 1


def test_a_notebook_that_reaches_out_is_caught_even_if_it_hides_the_failure(kernel):
    reach = "import urllib.request, contextlib\nwith contextlib.suppress(OSError):\n    "
    for address in ("http://192.0.2.1", "http://example.invalid"):
        with pytest.raises(AssertionError, match=r"192\.0\.2\.1|example\.invalid"):
            kernel([f"{reach}urllib.request.urlopen({address!r})"])


@pytest.mark.parametrize(
    "source",
    [
        "import threading; threading.Thread(target=print).start()",
        "import subprocess; subprocess.run(['true'])",
        "open('numbers.txt', 'w')",
        "open('/etc/hostname')",
        "import backprop_lab as bl; bl.step_through(bl.variable('x', 3.0) ** 2).save('x.html')",
    ],
)
def test_a_notebook_that_could_not_run_in_a_browser_is_caught(source, kernel):
    with pytest.raises(CellExecutionError, match=r"Python in a browser|should need no file"):
        kernel([source])


def test_a_notebook_that_never_ends_is_stopped(kernel, tmp_path):
    with pytest.raises(DeadKernelError):
        run_alone(["while True: pass"], tmp_path, 1)


def test_a_notebook_that_fails_fails(kernel):
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        kernel(["1 / 0"])


# --------------------------------------------------------------------------------------- exercises

SOLUTION = re.compile(r"<summary>Solution</summary>\s*```python\n(.*?)```", re.S)
NOT_DONE = re.compile(r"✗|^·|[1-9]\d* wrong", re.M)  # a check that misses something says so


def exercises(path):
    """{which code cell: the solution's code} of a notebook."""
    found, count = {}, 0
    for cell in nbformat.read(path, as_version=4).cells:
        count += cell.cell_type == "code"
        if cell.cell_type == "markdown":
            for solution in SOLUTION.findall(cell.source):
                found[count - 1] = solution
    return found


def solved(cell, solution):
    """The cell with a solution put in: in place of the one line that it assigns anew, or of the whole."""
    lines = solution.strip().splitlines()
    name = lines[0].partition(" = ")[0]
    places = [i for i, line in enumerate(cell.splitlines()) if line.startswith(f"{name} = ")]
    if len(lines) > 1 or len(places) != 1:
        return solution
    return "\n".join(lines[0] if i in places else line for i, line in enumerate(cell.splitlines()))


@pytest.mark.parametrize("path", [p for p in NOTEBOOKS if exercises(p)], ids=lambda p: p.stem)
def test_the_check_of_an_exercise_accepts_its_solution_and_not_the_cell_as_it_stands(path, kernel):
    sources, solutions = code(path), exercises(path)
    with_solutions = [solved(s, solutions[i]) if i in solutions else s for i, s in enumerate(sources)]
    before, after = two_runs(path)[0], kernel(with_solutions)
    for i in solutions:
        assert NOT_DONE.search(said(before[i])), f"nothing left to do:\n{sources[i]}"
        assert not NOT_DONE.search(said(after[i])), f"{said(after[i])}\nafter\n{with_solutions[i]}"
        ast.parse(solutions[i])


def said(outputs):
    return "\n".join(o if isinstance(o, str) else o.get("text/plain", "") for o in outputs)


def test_a_solution_replaces_its_line_or_the_whole_cell():
    assert solved("rate = 1  # change\nstep(rate)", "rate = 2\n") == "rate = 2\nstep(rate)"
    assert solved("g = 0\nh = 0\ncheck(g, h)", "g = 1\nh = 2\ncheck(g, h)\n") == "g = 1\nh = 2\ncheck(g, h)\n"
