"""The notebooks as somebody runs them: alone, twice in one kernel, offline, with the solutions put in.

Every notebook runs in a kernel of its own, in an empty folder. The kernel may use ten seconds of the
processor for a run, and reaches this machine only; a cell cannot start threads or other programs, which
Python in a browser has not, nor open files but those that were installed. nbval compares the outputs with the
saved ones; here they are compared with those of a second run, since learners run cells again, and of other
processors: OpenBLAS and NumPy choose their loops by the processor, and last digits differ with it.
"""

from __future__ import annotations

import ast
import platform
import re
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

import backprop_lab as bl

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.ipynb"))
VIEW = "application/vnd.jupyter.widget-view+json"  # holds a new id for each showing
SECONDS = 10  # of the processor, for one run; a wall clock would judge the machine's other work as well
BOUNDS = """
import os, resource, socket, subprocess, sys, threading
import matplotlib.font_manager  # looks for fonts, and writes down which, the first time on a machine
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
_strangers = []
def _guarded(reach):
    def to_this_machine_only(*arguments):
        host = next(a[0] if isinstance(a, tuple) else a for a in arguments if isinstance(a, (tuple, str)))
        if host not in ("127.0.0.1", "::1", "localhost") and not host.startswith("/"):
            _strangers.append(host)
            raise OSError(f"this notebook wants to reach {{host}}")
        return reach(*arguments)
    return to_this_machine_only
socket.socket.connect = _guarded(socket.socket.connect)
socket.socket.connect_ex = _guarded(socket.socket.connect_ex)
socket.getaddrinfo = _guarded(socket.getaddrinfo)
_ours = "backprop_lab", "tqdm", "matplotlib", "ipywidgets", "anywidget", "ipykernel_"  # the last: cells
def _not_in_a_browser(begin):
    def not_by_us(self, *arguments, **keywords):
        caller = sys._getframe(1)
        while caller.f_code.co_filename in (threading.__file__, subprocess.__file__):
            caller = caller.f_back
        if any(name in caller.f_code.co_filename for name in _ours):
            raise RuntimeError("Python in a browser has no threads and no other programs")
        return begin(self, *arguments, **keywords)
    return not_by_us
_installed = sys.prefix, sys.base_prefix, {package!r}
def _no_files_of_ones_own(event, arguments):
    if event != "open" or not isinstance(arguments[0], (str, bytes)):
        return
    path, caller = os.path.abspath(os.fsdecode(arguments[0])), sys._getframe(1)
    while caller and not any(name in caller.f_code.co_filename for name in ("backprop_lab", "ipykernel_")):
        caller = caller.f_back
    writes = arguments[2] & (os.O_WRONLY | os.O_RDWR)
    its_own_text = os.path.basename(os.path.dirname(path)).startswith("ipykernel_")  # is looked for, in vain
    if caller and (writes or not (path.startswith(_installed) or its_own_text)):
        raise RuntimeError(f"a notebook should need no file, and opens {{path}}")
sys.addaudithook(_no_files_of_ones_own)
threading.Thread.start = _not_in_a_browser(threading.Thread.start)
subprocess.Popen.__init__ = _not_in_a_browser(subprocess.Popen.__init__)
"""


def run(sources, folder, seconds=SECONDS):
    """The outputs of cells that run one after another in a new kernel: one list for each cell."""
    bounds = BOUNDS.format(seconds=seconds, package=str(Path(bl.__file__).parent))
    texts = [bounds, *sources, "print(_strangers)"]
    book = new_notebook(cells=[new_code_cell(text) for text in texts])
    with TemporaryDirectory() as sockets:
        # Free ports are looked for before the kernel takes them, and another program may be quicker.
        files = {"transport": "ipc", "ip": f"{sockets}/kernel"} if sys.platform == "linux" else {}
        NotebookClient(
            book,
            timeout=60,
            kernel_name="python3",
            coalesce_streams=True,
            resources={"metadata": {"path": str(folder)}},
            config=Config(KernelManager=files),
        ).execute()
    _, *cells, asked = (cell.outputs for cell in book.cells)
    assert asked[0].text == "[]\n", f"asked for {asked[0].text}"
    return [[shown(output) for output in outputs] for outputs in cells]


def shown(output):
    if output.output_type == "stream":
        return output.text
    return {kind: content for kind, content in output.data.items() if kind != VIEW}


def code(path):
    return [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_runs_alone_and_offline_and_twice_with_the_same_outputs(path, tmp_path):
    sources = code(path)
    second = run(sources * 2, tmp_path, 2 * SECONDS)[len(sources) :]
    assert_same(sources, outputs_on_this_processor(path), second)
    assert list(tmp_path.iterdir()) == []


def assert_same(sources, once, again):
    for source, one, other in zip(sources, once, again, strict=True):
        assert one == other, f"another output:\n{source}"


@cache
def outputs_on_this_processor(path):
    with TemporaryDirectory() as folder:
        return run(code(path), folder)


# Which loops OpenBLAS takes, of those that every x86-64 of the last fifteen years can run; without the newer
# instructions of its own NumPy, too, takes other ones.
PROCESSORS = {"Haswell": (), "Zen": (), "Prescott": np.show_config("dicts")["SIMD Extensions"]["found"]}


@contextmanager
def as_on(processor):
    """Programs started here compute as on that processor."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENBLAS_CORETYPE", processor)
        patch.setenv("NPY_DISABLE_CPU_FEATURES", " ".join(PROCESSORS[processor]))
        yield


HAS_THEM = platform.machine() in ("x86_64", "AMD64") and "openblas" in str(np.show_config("dicts"))


@pytest.mark.skipif(not HAS_THEM, reason="not x86-64 with OpenBLAS")
@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_has_the_same_outputs_on_another_processor(path, processor, tmp_path):
    sources = code(path)
    with as_on(processor):
        assert_same(sources, outputs_on_this_processor(path), run(sources, tmp_path))


@pytest.mark.skipif(not HAS_THEM, reason="not x86-64 with OpenBLAS")
def test_other_processors_do_compute_other_last_digits(tmp_path):
    sums = "import numpy as np; a = np.random.default_rng(0).random((3, 400)); print((a @ a.T).tolist())"
    found = []
    for processor in PROCESSORS:
        with as_on(processor):
            found += run([sums], tmp_path)
    assert len({str(outputs) for outputs in found}) > 1


def test_a_notebook_that_reaches_out_is_caught_even_if_it_hides_the_failure(tmp_path):
    reach = "import urllib.request, contextlib\nwith contextlib.suppress(OSError):\n    "
    for address in ("http://192.0.2.1", "http://example.invalid"):
        with pytest.raises(AssertionError, match=r"192\.0\.2\.1|example\.invalid"):
            run([f"{reach}urllib.request.urlopen({address!r})"], tmp_path)


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
def test_a_notebook_that_could_not_run_in_a_browser_is_caught(source, tmp_path):
    with pytest.raises(CellExecutionError, match=r"Python in a browser|should need no file"):
        run([source], tmp_path)


def test_a_notebook_that_never_ends_is_stopped(tmp_path):
    with pytest.raises(DeadKernelError):
        run(["while True: pass"], tmp_path, 3)


def test_a_notebook_that_fails_fails(tmp_path):
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        run(["1 / 0"], tmp_path)


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
def test_the_check_of_an_exercise_accepts_its_solution_and_not_the_cell_as_it_stands(path, tmp_path):
    sources, solutions = code(path), exercises(path)
    with_solutions = [solved(s, solutions[i]) if i in solutions else s for i, s in enumerate(sources)]
    before, after = outputs_on_this_processor(path), run(with_solutions, tmp_path)
    for i in solutions:
        assert NOT_DONE.search(said(before[i])), f"nothing left to do:\n{sources[i]}"
        assert not NOT_DONE.search(said(after[i])), f"{said(after[i])}\nafter\n{with_solutions[i]}"
        ast.parse(solutions[i])


def said(outputs):
    return "\n".join(o if isinstance(o, str) else o.get("text/plain", "") for o in outputs)


def test_a_solution_replaces_its_line_or_the_whole_cell():
    assert solved("rate = 1  # change\nstep(rate)", "rate = 2\n") == "rate = 2\nstep(rate)"
    assert solved("g = 0\nh = 0\ncheck(g, h)", "g = 1\nh = 2\ncheck(g, h)\n") == "g = 1\nh = 2\ncheck(g, h)\n"
