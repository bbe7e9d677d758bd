"""Kernels for the cells of notebooks, kept within the bounds of a browser's Python and of a short wait.

A kernel takes two seconds of the processor to start, and most notebooks a tenth of that to run; so one kernel
runs the cells of one notebook after another's, in an empty folder, and forgets their names before the next.
It may use ten seconds of the processor for a run, and reaches this machine only; a cell cannot start threads
or other programs, which Python in a browser has not, nor open files but those that were installed.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

import backprop_lab as bl

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.ipynb"))
VIEW = "application/vnd.jupyter.widget-view+json"  # holds a new id for each showing
SECONDS = 10  # of the processor, for one run; a wall clock would judge the machine's other work as well
BOUNDS = """
import os, resource, socket, subprocess, sys, threading, time
import matplotlib.font_manager  # looks for fonts, and writes down which, the first time on a machine
strangers = []
def guarded(reach):
    def to_this_machine_only(*arguments):
        host = next(a[0] if isinstance(a, tuple) else a for a in arguments if isinstance(a, (tuple, str)))
        if host not in ("127.0.0.1", "::1", "localhost") and not host.startswith("/"):
            strangers.append(host)
            raise OSError(f"this notebook wants to reach {host}")
        return reach(*arguments)
    return to_this_machine_only
socket.socket.connect = guarded(socket.socket.connect)
socket.socket.connect_ex = guarded(socket.socket.connect_ex)
socket.getaddrinfo = guarded(socket.getaddrinfo)
ours = "backprop_lab", "tqdm", "matplotlib", "ipywidgets", "anywidget", "ipykernel_"  # the last: cells
def not_in_a_browser(begin):
    def not_by_us(self, *arguments, **keywords):
        caller = sys._getframe(1)
        while caller.f_code.co_filename in (threading.__file__, subprocess.__file__):
            caller = caller.f_back
        if any(name in caller.f_code.co_filename for name in ours):
            raise RuntimeError("Python in a browser has no threads and no other programs")
        return begin(self, *arguments, **keywords)
    return not_by_us
threading.Thread.start = not_in_a_browser(threading.Thread.start)
subprocess.Popen.__init__ = not_in_a_browser(subprocess.Popen.__init__)
installed = sys.prefix, sys.base_prefix, PACKAGE
def no_files_of_ones_own(event, arguments):
    if event != "open" or not isinstance(arguments[0], (str, bytes)):
        return
    path, caller = os.path.abspath(os.fsdecode(arguments[0])), sys._getframe(1)
    while caller and not any(name in caller.f_code.co_filename for name in ("backprop_lab", "ipykernel_")):
        caller = caller.f_back
    writes = arguments[2] & (os.O_WRONLY | os.O_RDWR)
    its_own_text = os.path.basename(os.path.dirname(path)).startswith("ipykernel_")  # is looked for, in vain
    if caller and (writes or not (path.startswith(installed) or its_own_text)):
        raise RuntimeError(f"a notebook should need no file, and opens {path}")
sys.addaudithook(no_files_of_ones_own)
def begin(shell, seconds):
    for name in [*shell.user_ns]:
        if name not in shell.user_ns_hidden and not name.startswith("_"):
            del shell.user_ns[name]
    strangers.clear()
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + seconds, most))
"""


@contextmanager
def started(folder):
    """Yield the function ``run(sources, seconds=10)`` of a new kernel that stands in ``folder``.

    It gives the outputs of cells that run one after another: one list for each cell.
    """
    with TemporaryDirectory() as sockets:
        # Free ports are looked for before the kernel takes them, and another program may be quicker.
        files = {"transport": "ipc", "ip": f"{sockets}/kernel"} if sys.platform == "linux" else {}
        client = NotebookClient(
            new_notebook(),
            timeout=60,
            kernel_name="python3",
            coalesce_streams=True,
            resources={"metadata": {"path": str(folder)}},
            config=Config(KernelManager=files),
        )

        def execute(sources):
            client.nb = new_notebook(cells=[new_code_cell(source) for source in sources])
            return [client.execute_cell(cell, i).outputs for i, cell in enumerate(client.nb.cells)]

        def run(sources, seconds=SECONDS):
            begin = f"_bounds['begin'](get_ipython(), {seconds})"
            _, *cells, asked = execute([begin, *sources, "print(_bounds['strangers'])"])
            assert asked[0].text == "[]\n", f"asked for {asked[0].text}"
            return [[shown(output) for output in outputs] for outputs in cells]

        with client.setup_kernel():
            package = str(Path(bl.__file__).parent)
            execute([f"_bounds = dict(PACKAGE={package!r}); exec({BOUNDS!r}, _bounds)"])
            yield run


def run_alone(sources, folder, seconds=SECONDS):
    """The outputs of cells that run in a kernel of their own."""
    with started(folder) as run:
        return run(sources, seconds)


def shown(output):
    if output.output_type == "stream":
        return output.text
    return {kind: content for kind, content in output.data.items() if kind != VIEW}


def code(path):
    return [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
