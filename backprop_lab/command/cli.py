"""The command ``backprop-lab``: lays the notebooks out and opens JupyterLab on one of them.

Only the standard library is imported before the arguments are understood, so that ``--list`` and
mistakes answer at once. What must hold: mistakes end with one line on stderr; the server listens on this
machine only, unless ``--ip`` says otherwise, and always asks for a fresh token; one Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import errno
import importlib.util
import inspect
import json
import os
import re
import secrets
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from backprop_lab import __version__
from backprop_lab.command.handout import RECORD, lay_out, trust

FOLDER = "backprop-lab-notebooks"
FIRST_PORT, LAST_PORT = 8888, 65535


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code: 0, 1 for what went wrong, 2 for wrong arguments."""
    # A console without the letters of a title (θ, –) shows "?" instead of failing.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        return _run(_parser().parse_args(argv))
    except Mistake as mistake:
        print(f"backprop-lab: {mistake}", file=sys.stderr)
        return mistake.code
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # the reader of a list, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


class Mistake(Exception):
    """What went wrong, and how the reader can mend it, in one line."""

    def __init__(self, message: str, code: int = 1):
        super().__init__(message)
        self.code = code


def _run(arguments: argparse.Namespace) -> int:
    notebooks = find_notebooks()
    if arguments.list:
        for number, notebook in notebooks.items():
            title, minutes = _describe(notebook)
            print(f"{number}  {title}" + (f"  ({minutes} minutes)" if minutes else ""))
        sys.stdout.flush()
        return 0
    notebook = _choose(arguments.number, notebooks)
    folder = arguments.dir or _usual_folder()
    if arguments.lay_out:
        _hand_out(notebook.parent, folder)
        return 0
    if importlib.util.find_spec("jupyterlab") is None:
        raise Mistake("JupyterLab is missing; install it with: pip install jupyterlab")
    port = _free_port(arguments.ip, arguments.port)
    retries = 0 if arguments.port else 50  # it may be taken before the server is up
    _hand_out(notebook.parent, folder)
    _serve(folder.resolve(), notebook.name, arguments.ip, port, retries, arguments.browser)
    return 0


# What there is ------------------------------------------------------------------------------------


def find_notebooks() -> dict[str, Path]:
    """The series as {"00": path, …}: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "notebooks", package.parent / "notebooks"):
        found = sorted(folder.glob("[0-9]*-*.ipynb"))
        if found:
            return {path.name.split("-")[0]: path for path in found}
    raise Mistake("the notebooks are missing here; run: pip install --force-reinstall backprop-lab")


def _choose(number: str, notebooks: dict[str, Path]) -> Path:
    for known, path in notebooks.items():
        if number.isdecimal() and int(number) == int(known):
            return path
    raise Mistake(f"there is no notebook {number!r}; there are {', '.join(notebooks)}", code=2)


def _describe(notebook: Path) -> tuple[str, str]:
    """A notebook's title without its number, and its minutes ("" if it does not say)."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    except (OSError, ValueError, LookupError, TypeError):
        texts = []
    opening = "\n".join(texts[:4])
    title = re.search(r"^#+\s+(?:\d+[\s.:–—-]*)?(.+?)\s*$", opening, re.MULTILINE)
    minutes = re.search(r"(\d+(?:\s*[–-]\s*\d+)?)\W{1,5}minutes", opening)
    return (title[1] if title else notebook.stem), (minutes[1] if minutes else "")


# The learner's folder -----------------------------------------------------------------------------


def _usual_folder() -> Path:
    """A folder here, or this folder itself if the notebooks were laid out in it before."""
    return Path() if Path(RECORD).is_file() else Path(FOLDER)


def _hand_out(source: Path, folder: Path) -> None:
    try:
        for place in (folder, *folder.parents):
            if place.is_symlink() and not place.exists():
                raise Mistake(f"{place} is a link that leads nowhere; a folder for the notebooks is needed")
        if folder.exists() and not folder.is_dir():
            raise Mistake(f"{folder} is a file; a folder for the notebooks is needed")
        handout = lay_out(source, folder, __version__)
    except OSError as error:
        raise Mistake(f"cannot write in the folder {folder}: {error.strerror or error}") from None
    print(f"Notebooks in {folder.resolve()}: {handout.news[0] if handout.news else 'nothing new'}.")
    for line in handout.news[1:]:
        print(f"  {line}.")
    if not trust(handout.ours):
        print("  They could not be marked as trusted; their pictures appear when you run them.")


# The server ---------------------------------------------------------------------------------------


def _free_port(ip: str, wanted: int | None) -> int:
    """The wanted port if it is free, else (none wanted) the first free one from 8888 up."""
    for port in [wanted] if wanted else range(FIRST_PORT, LAST_PORT + 1):
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                ip, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            with socket.socket(family, kind, protocol) as probe:
                if sys.platform != "win32":  # as the server binds: a port in TIME_WAIT is free
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
            return port
        except socket.gaierror:
            raise Mistake(f"{ip!r} is not an address of this machine") from None
        except PermissionError:
            if wanted:
                raise Mistake(f"port {port} is not allowed; choose one above 1023") from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise Mistake(f"cannot listen on {ip}:{port}: {error.strerror}") from None
            if wanted:
                raise Mistake(f"port {port} is in use; choose another with --port") from None
    raise Mistake("no port is free")


def _serve(folder: Path, name: str, ip: str, port: int, retries: int, browser: bool) -> None:
    """Run JupyterLab in this process until Ctrl-C or SIGTERM."""
    try:
        from jupyterlab.labapp import LabApp
    except ImportError as error:
        raise Mistake(
            f"JupyterLab cannot start ({error}); mend it with: pip install --upgrade jupyterlab"
        ) from None

    page = "/lab/tree/" + quote(name)
    # Through the environment, as other users of this machine can read a command line.
    token = os.environ["JUPYTER_TOKEN"] = secrets.token_hex(24)
    server = LabApp.initialize_server(
        argv=[
            f"--ServerApp.ip={ip}",
            f"--ServerApp.port={port}",
            f"--ServerApp.port_retries={retries}",
            "--ServerApp.base_url=/",
            "--ServerApp.certfile=",
            f"--ServerApp.root_dir={folder}",
            f"--ServerApp.preferred_dir={folder}",
            f"--LabApp.default_url={page}",
            "--ServerApp.allow_root=True",  # in a container one is root
            "--Application.log_level=ERROR",  # its warnings are not meant for learners
            # The lab makes no request of its own to any other machine.
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.extension_manager=readonly",
            *_encryption(),
            *([] if browser else ["--no-browser"]),
        ]
    )
    del os.environ["JUPYTER_TOKEN"]  # the server has read it; kernels need not inherit it
    server.identity_provider.token = token  # also where the learner's own settings name another
    settings = server.web_app.settings
    settings.setdefault("page_config_hook", _without_news)
    settings["kernel_websocket_connection_class"] = prompt(settings["kernel_websocket_connection_class"])
    contents, sessions = server.contents_manager, server.session_manager
    if inspect.iscoroutinefunction(contents.get):
        contents.__class__ = with_pictures(type(contents), sessions.list_sessions)

    def stop(*_: object) -> None:
        server.stop(from_signal=True)

    # Jupyter's own handlers ask a question, or leave kernels behind where there is no terminal.
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    host = "127.0.0.1" if ip in ("", "0.0.0.0", "::") else f"[{ip}]" if ":" in ip else ip
    address = f"http://{host}:{server.port}{page}?token={token}"
    # Printed by the loop, once the server listens: the address answers as soon as it is seen.
    words = f"JupyterLab runs at\n  {address}\nCtrl-C ends it."
    server.io_loop.add_callback(print, words, flush=True)
    server.start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second, impatient Ctrl-C has nothing to stop


def _encryption() -> list[str]:
    """Encrypt the traffic with the kernel where Jupyter can; newer kernels warn if it is not."""
    import zmq
    from jupyter_client.manager import KernelManager

    able = hasattr(KernelManager, "transport_encryption") and zmq.has("curve")
    return ["--KernelManager.transport_encryption=auto"] if able else []


def _without_news(_handler: object, page_config: dict) -> dict:
    """Spare the learner the question whether JupyterLab may fetch its news."""
    news, disabled = "@jupyterlab/apputils-extension:announcements", "disabledExtensions"
    page_config[disabled] = list({*page_config.get(disabled, []), news})
    return page_config


def prompt(connection: type) -> type:
    """A subclass of this connection between page and kernel that sends small messages at once.

    Otherwise TCP holds each back until the browser acknowledges the previous one, which takes some 40 ms:
    widgets would lag by as much.
    """

    class Prompt(connection):
        def connect(self):
            self.websocket_handler.set_nodelay(True)
            return super().connect()

    return Prompt


def with_pictures(contents: type, sessions: Callable[[], Awaitable[list[dict]]]) -> type:
    """A subclass of this contents manager: it opens a notebook that has no kernel with pictures for widgets.

    A saved widget is no more than the name of a model in a kernel. Where this is gone, Jupyter would show an
    error in place of the picture beside it.
    """

    class WithPictures(contents):
        async def get(self, path, *arguments, **options):
            model = await super().get(path, *arguments, **options)
            running = {session["path"] for session in await sessions()}
            if model["type"] == "notebook" and model["content"] and path.strip("/") not in running:
                forget_widgets(model["content"])
            return model

    return WithPictures


def forget_widgets(notebook: dict) -> None:
    """Take away the widgets that have HTML beside them, and whose state was not saved with the notebook."""
    view, state = (f"application/vnd.jupyter.widget-{what}+json" for what in ("view", "state"))
    saved = notebook["metadata"].get("widgets", {}).get(state, {}).get("state", {})
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/html" in data and view in data and data[view].get("model_id") not in saved:
                del data[view]


# The arguments ------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Mistake(f"{message} (see backprop-lab --help)", code=2)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (1 to {LAST_PORT})")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="backprop-lab",
        description="Lay out the notebooks in a folder and open JupyterLab on one of them. "
        "Notebooks that you have changed are never overwritten.",
    )
    parser.add_argument("number", nargs="?", default="0", help="which notebook (default: 00)")
    parser.add_argument("--dir", type=Path, help=f"the folder (default: {FOLDER} here)")
    parser.add_argument("--port", type=_port, help="exactly this port (default: 8888 or the next)")
    parser.add_argument("--ip", default="127.0.0.1", help="where to listen (default: 127.0.0.1)")
    parser.add_argument("--no-browser", dest="browser", action="store_false", help="only print the address")
    parser.add_argument("--lay-out", action="store_true", help="only lay them out, as on a JupyterHub")
    parser.add_argument("--list", action="store_true", help="show the notebooks and stop")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    return parser
