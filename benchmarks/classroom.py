"""What a class needs: memory for each learner, and many learners at once on one Jupyter server.

Kernels are started and used as a browser does it, through the server. A kernel's memory is its proportional
share (PSS): what it shares with others is divided among them.

What must hold: every learner's outputs are compared with the committed ones; the server and all kernels end.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import psutil
import websocket

from tools import lab

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
LEARNERS = 20
MIB = 1024 * 1024
BESIDE = {  # other kernels to compare with
    "a bare kernel": ["1 + 1"],
    "NumPy, matplotlib and ipywidgets": ["import numpy, matplotlib.figure, ipywidgets"],
    "PyTorch": ["import numpy, matplotlib.figure, ipywidgets, torch"],
}


class Kernel:
    """A kernel of the server, and the connection to it."""

    def __init__(self, server: lab.Server):
        self._server = server
        self.id = self._ask("POST", "/api/kernels", {"name": "python3"})["id"]
        address = (
            server.address.replace("http", "ws") + f"/api/kernels/{self.id}/channels?token={server.token}"
        )
        self._socket = websocket.create_connection(address, timeout=300)

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._server.address + path, data, method=method)
        request.add_header("Authorization", f"token {self._server.token}")
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.loads(answer.read() or "null")

    def run(self, source: str) -> str:
        """What a cell prints and shows, as text. Raises RuntimeError for a cell that fails."""
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": "", "version": "5.4"}
        header |= {"username": "learner", "date": ""}
        content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False}
        message = {
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
            "channel": "shell",
        }
        self._socket.send(json.dumps(message))
        shown = ""
        while True:
            answer = self._socket.recv()
            if not isinstance(answer, str):
                continue  # widgets send their pictures as bytes
            answer = json.loads(answer)
            if answer["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            kind, content = answer["header"]["msg_type"], answer["content"]
            if kind == "stream" and content["name"] == "stdout":
                shown += content["text"]
            elif kind in ("execute_result", "display_data"):
                shown += content["data"].get("text/plain", "")
            elif kind == "error":
                raise RuntimeError(f"{content['ename']}: {content['evalue']}")
            elif kind == "status" and content["execution_state"] == "idle":
                return shown

    def memory(self) -> float:
        """The kernel's share of the memory, in MiB."""
        pid = int(self.run("import os; print(os.getpid())"))
        return psutil.Process(pid).memory_full_info().pss / MIB

    def close(self):
        self._socket.close()
        self._ask("DELETE", f"/api/kernels/{self.id}")


def cells(number: str) -> list[tuple[str, str]]:
    """(source, what it prints and shows as text) of each code cell of a notebook."""
    (path,) = NOTEBOOKS.glob(f"{number}-*.ipynb")
    found = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            shown = "".join(
                o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in cell.outputs
            )
            found.append((cell.source, shown))
    return found


def learner(server: lab.Server, number: str) -> tuple[float, int, float]:
    """A learner runs a notebook in its own kernel: (seconds, cells with other outputs, memory in MiB)."""
    start = time.perf_counter()
    kernel = Kernel(server)
    try:
        different = sum(kernel.run(source) != shown for source, shown in cells(number))
        return time.perf_counter() - start, different, kernel.memory()
    finally:
        kernel.close()


def main():
    with (
        tempfile.TemporaryDirectory() as root,
        tempfile.TemporaryDirectory() as settings,
        lab.jupyter(Path(root), Path(settings)) as server,
    ):
        for name, sources in BESIDE.items():
            kernel = Kernel(server)
            try:
                for source in sources:
                    kernel.run(source)
                print(f"{name}: {kernel.memory():.0f} MiB")
            except RuntimeError as error:
                print(f"{name}: not here ({error})")
            finally:
                kernel.close()
        kernel = Kernel(server)
        own = psutil.Process(int(kernel.run("import os; print(os.getppid())")))
        print(f"the server: {own.memory_full_info().pss / MIB:.0f} MiB")
        for number in ("06", "08"):
            for source, _ in cells(number):
                kernel.run(source)
            print(f"notebook {number} run in the same kernel: {kernel.memory():.0f} MiB")
        kernel.close()
        alone = learner(server, "06")
        print(f"one learner, notebook 06: {alone[0]:.1f} s, {alone[1]} cells otherwise, {alone[2]:.0f} MiB")
        start = time.perf_counter()
        with ThreadPoolExecutor(LEARNERS) as pool:
            class_ = list(pool.map(lambda _: learner(server, "06"), range(LEARNERS)))
        seconds, otherwise, memory = zip(*class_)
        print(
            f"{LEARNERS} learners at once: all done after {time.perf_counter() - start:.1f} s "
            f"(each {min(seconds):.1f} to {max(seconds):.1f} s), {sum(otherwise)} cells otherwise, "
            f"{statistics.median(memory):.0f} MiB each"
        )


if __name__ == "__main__":
    main()
