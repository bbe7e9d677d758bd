"""The command `backprop-lab`, as a learner meets it: laying out, mistakes, and the real server.

The series is made of small notebooks of our own, so that nothing here depends on the real ones.
Servers run in a process group of their own with Jupyter folders of their own, and are always ended.
"""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

import backprop_lab
from backprop_lab.command import cli, handout

TITLES = {
    "00-start-here": "# 00 Start here — θ\n\nWhat it is. **30 minutes.**",
    "05-the-forward-pass": "# The forward pass, green\n\nTakes 30–40 minutes.",
    "06-the-backward-pass": "Some words first.\n\n# 06: The backward pass",
}


@pytest.fixture
def series(tmp_path, monkeypatch):
    """A package with three notebooks instead of the real series, and a home for Jupyter."""
    package = tmp_path / "package"
    (package / "notebooks").mkdir(parents=True)
    for name, text in TITLES.items():
        save(package / "notebooks" / f"{name}.ipynb", text)
    monkeypatch.setattr(cli, "__file__", str(package / "command" / "cli.py"))
    for name in JUPYTER_FOLDERS:
        monkeypatch.setenv(name, str(tmp_path / name))
    # The processes started here use the package under test, installed or not.
    monkeypatch.setenv("PYTHONPATH", os.path.dirname(os.path.dirname(backprop_lab.__file__)))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return package / "notebooks"


JUPYTER_FOLDERS = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")


def save(path, text):
    v4 = nbformat.v4
    shown = v4.new_output("display_data", {"text/html": "<b>2</b>", "text/plain": "2"})
    cells = [
        v4.new_markdown_cell(text, id="text"),
        v4.new_code_cell("1 + 1", execution_count=1, outputs=[shown], id="code"),
    ]
    nbformat.write(v4.new_notebook(cells=cells), path)


@pytest.fixture
def no_server(monkeypatch):
    """Everything but the server; what it would have been given is noted."""
    served = []
    monkeypatch.setattr(cli, "_serve", lambda *arguments: served.append(arguments))
    return served


# Looking ------------------------------------------------------------------------------------------


def test_the_list_shows_numbers_titles_and_minutes_and_lays_nothing_out(series, capsys):
    assert cli.main(["--list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "00  Start here — θ  (30 minutes)",
        "05  The forward pass, green  (30–40 minutes)",
        "06  The backward pass",
    ]
    assert os.listdir() == []


@pytest.mark.skipif(os.name == "nt", reason="a pipe closed early is another matter there")
def test_a_list_that_nobody_reads_to_its_end_ends_quietly(series):
    process = subprocess.Popen(command(series, "--list"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(60) == 0 and process.stderr.read() == b""


def test_the_list_shows_a_damaged_notebook_by_its_file_name(series, capsys):
    (series / "05-the-forward-pass.ipynb").write_text("{")
    assert cli.main(["--list"]) == 0
    assert "05  05-the-forward-pass\n" in capsys.readouterr().out


def test_the_version_is_the_packages(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"backprop-lab {backprop_lab.__version__}\n"


def test_looking_needs_nothing_but_the_standard_library_and_numpy():
    code = (
        "import sys; from backprop_lab.command import cli; "
        "print([m for m in ('jupyterlab', 'nbformat', 'tornado', 'matplotlib', 'ipywidgets') "
        "if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_a_console_without_greek_letters_shows_the_list_all_the_same(series, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    shown = subprocess.run(command(series, "--list"), capture_output=True, text=True, check=True)
    assert "00  Start here ? ?" in shown.stdout


def command(series, *arguments):
    """A command line that runs the command on this series in a process of its own."""
    code = f"""if True:
        import sys
        from backprop_lab.command import cli
        cli.__file__ = {str(series.parent / "command" / "cli.py")!r}
        sys.exit(cli.main({list(arguments)!r}))
    """
    return [sys.executable, "-c", code]


def test_the_real_series_is_found_from_a_checkout():
    assert [number.isdecimal() for number in cli.find_notebooks()]


# Opening ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "opened"),
    [
        ([], "00-start-here.ipynb"),
        (["06"], "06-the-backward-pass.ipynb"),
        (["6"], "06-the-backward-pass.ipynb"),
    ],
)
def test_a_number_opens_its_notebook_and_none_the_first(series, no_server, arguments, opened):
    assert cli.main(arguments) == 0
    folder, name, ip, _port, _retries, browser = no_server[0]
    assert (folder.name, name, ip, browser) == (cli.FOLDER, opened, "127.0.0.1", True)
    assert sorted(path.name for path in folder.glob("*.ipynb")) == sorted(os.listdir(series))


def test_the_folder_can_be_chosen_and_is_made(series, no_server, tmp_path):
    wanted = tmp_path / "a new" / "folder"
    assert cli.main(["--dir", str(wanted), "--no-browser", "--port", str(free_port())]) == 0
    assert (wanted / "00-start-here.ipynb").is_file()
    assert no_server[0][0] == wanted
    assert no_server[0][-1] is False


def test_started_inside_the_folder_it_uses_that_folder(series, no_server, monkeypatch):
    cli.main([])
    monkeypatch.chdir(cli.FOLDER)
    cli.main([])
    assert no_server[0][0] == no_server[1][0]


def test_the_second_time_it_says_that_nothing_is_new(series, no_server, capsys):
    cli.main([])
    assert "3 notebooks laid out" in capsys.readouterr().out
    cli.main([])
    assert "nothing new" in capsys.readouterr().out


def test_without_a_wish_it_takes_the_first_free_port(series, no_server, monkeypatch):
    with listening() as taken:
        monkeypatch.setattr(cli, "FIRST_PORT", taken)
        cli.main([])
        assert no_server[0][3] > taken


def test_what_was_laid_is_trusted_and_what_the_learner_wrote_is_not(series, no_server):
    cli.main([])
    laid = no_server[0][0] / "00-start-here.ipynb"
    assert trusted(laid)
    laid.write_text(laid.read_text().replace("<b>2</b>", "<b>3</b>"))
    cli.main([])
    assert not trusted(laid)


def trusted(path):
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary(data_dir=os.environ["JUPYTER_DATA_DIR"])
    try:
        return notary.check_signature(nbformat.read(path, as_version=4))
    finally:
        notary.store.close()


def test_it_opens_also_when_trusting_fails(series, no_server, monkeypatch, tmp_path, capsys):
    (tmp_path / "in the way").write_text("")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "in the way"))
    assert cli.main([]) == 0
    assert "could not be marked as trusted" in capsys.readouterr().out
    assert no_server


# Mistakes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["42"], 2, "there is no notebook '42'; there are 00, 05, 06"),
        (["-1"], 2, "there is no notebook '-1'; there are 00, 05, 06"),
        (["six"], 2, "there is no notebook 'six'; there are 00, 05, 06"),
        (["--port", "0"], 2, "'0' is not a port (1 to 65535)"),
        (["--port", "65536"], 2, "'65536' is not a port (1 to 65535)"),
        (["--port", "http"], 2, "'http' is not a port (1 to 65535)"),
        (["--frobnicate"], 2, "unrecognized arguments: --frobnicate"),
        (["--dir", "file"], 1, "file is a file; a folder for the notebooks is needed"),
        (
            ["--dir", "nowhere"],
            1,
            "nowhere is a link that leads nowhere; a folder for the notebooks is needed",
        ),
        (["--dir", "nowhere/below"], 1, "nowhere is a link that leads nowhere"),
        (["--dir", "file/below"], 1, "cannot write in the folder file/below: Not a directory"),
        (["--ip", "192.0.2.1"], 1, "cannot listen on 192.0.2.1:8888"),
        (["--ip", "not an address"], 1, "'not an address' is not an address of this machine"),
    ],
)
def test_a_mistake_ends_with_one_line_that_says_it(series, no_server, capsys, arguments, code, said):
    with open("file", "w") as file:
        file.write("mine")
    os.symlink("not there", "nowhere")
    assert cli.main(arguments) == code
    complaint = capsys.readouterr().err
    assert complaint.startswith("backprop-lab: ")
    assert said in complaint
    assert complaint.count("\n") == 1
    assert not no_server


def test_a_port_in_use_is_a_mistake_when_it_was_asked_for(series, no_server, capsys):
    with listening() as taken:
        assert cli.main(["--port", str(taken)]) == 1
    assert capsys.readouterr().err == (f"backprop-lab: port {taken} is in use; choose another with --port\n")
    assert os.listdir() == []


def test_a_folder_that_cannot_be_written_is_a_mistake(series, no_server, capsys, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(handout.os, "replace", refuse)
    assert cli.main([]) == 1
    assert "cannot write in the folder backprop-lab-notebooks: Permission denied" in (capsys.readouterr().err)
    assert os.listdir(cli.FOLDER) == []


def test_without_jupyter_it_says_how_to_install_it(series, capsys, monkeypatch):
    monkeypatch.setattr(cli.importlib.util, "find_spec", lambda name: None)
    assert cli.main([]) == 1
    assert "pip install jupyterlab" in capsys.readouterr().err


def test_without_notebooks_it_says_how_to_mend_the_installation(series, capsys):
    for path in series.iterdir():
        path.unlink()
    assert cli.main([]) == 1
    assert "pip install --force-reinstall backprop-lab" in capsys.readouterr().err


# The real server ----------------------------------------------------------------------------------


@contextmanager
def listening():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def free_port():
    with listening() as port:
        return port


@contextmanager
def running(series, *arguments):
    """The command in a process of its own; gives (process, address)."""
    process = subprocess.Popen(
        command(series, *arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        address, said = None, ""
        for line in process.stdout:
            said += line
            address = next(iter(re.findall(r"http://\S+", line)), address)
            if "Ctrl-C" in line:
                break
        assert address, said
        yield process, address
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def ask(address, **headers):
    # No proxy of the environment may stand between a test and its own server.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(address, headers=headers), timeout=30) as answer:
        return answer.status, answer.read().decode()


@pytest.mark.slow
def test_the_server_opens_the_notebook_asks_for_its_token_and_ends_with_one_ctrl_c(series):
    port = free_port()
    with running(series, "6", "--no-browser", "--port", str(port)) as (process, address):
        found = re.fullmatch(
            rf"(http://127\.0\.0\.1:{port})/lab/tree/06-the-backward-pass\.ipynb\?token=(\w+)",
            address,
        )
        assert found, address
        base, token = found.groups()
        assert len(token) >= 32
        assert ask(f"{base}/api/status?token={token}")[0] == 200
        assert "JupyterLab" in ask(address)[1]
        with pytest.raises(urllib.error.HTTPError, match="403"):
            ask(f"{base}/api/status")

        files = json.loads(ask(f"{base}/api/contents", Authorization=f"token {token}")[1])
        assert sorted(file["name"] for file in files["content"]) == sorted(os.listdir(series))
        with pytest.raises(OSError):  # nobody listens at another address of this machine
            socket.create_connection(("127.0.0.2", port), timeout=5)
        if os.path.exists("/proc"):
            with open(f"/proc/{process.pid}/cmdline") as command_line:
                assert token not in command_line.read()

        asked = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(timeout=20) == 0
        assert time.monotonic() - asked < 10
        assert "Traceback" not in process.stdout.read()


def test_on_a_hub_notebooks_are_only_laid_out_and_what_is_changed_stays(series, no_server, capsys):
    assert cli.main(["--lay-out"]) == 0
    laid_out = sorted(Path("backprop-lab-notebooks").glob("*.ipynb"))
    assert [path.stem for path in laid_out] == sorted(TITLES)
    save(laid_out[0], "# My own")
    mine = laid_out[0].read_text("utf-8")
    assert cli.main(["--lay-out"]) == 0 and laid_out[0].read_text("utf-8") == mine
    assert no_server == [] and "Notebooks in" in capsys.readouterr().out


@pytest.mark.slow
def test_two_started_at_once_find_two_ports(series):
    with running(series, "--no-browser") as (_, one), running(series, "--no-browser") as (_, two):
        assert one.split("/")[2] != two.split("/")[2]


@pytest.mark.slow
def test_the_server_and_its_kernel_end_with_sigterm_also_against_the_learners_settings(series):
    settings = os.environ["JUPYTER_CONFIG_DIR"]
    os.makedirs(settings)
    with open(os.path.join(settings, "jupyter_server_config.json"), "w") as file:
        own = {"token": "chosen-by-the-learner"}
        json.dump({"IdentityProvider": own, "ServerApp": {"base_url": "/elsewhere/"}}, file)
    with running(series, "--no-browser") as (process, address):
        base, token = re.fullmatch(r"(http://.*)/lab/tree/00-.*\?token=(\w+)", address).groups()
        assert ask(f"{base}/api/status?token={token}")[0] == 200
        request = urllib.request.Request(
            f"{base}/api/kernels", b"{}", {"Authorization": f"token {token}"}, method="POST"
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            assert answer.status == 201
        runtime = os.environ["JUPYTER_RUNTIME_DIR"]
        assert any(name.startswith("kernel-") for name in os.listdir(runtime))
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert not any(name.startswith("kernel-") for name in os.listdir(runtime))


@pytest.mark.slow
def test_the_page_and_its_kernel_speak_without_delay(monkeypatch, tmp_path):
    labapp = pytest.importorskip("jupyterlab.labapp")
    said = []

    class Connection:
        websocket_handler = SimpleNamespace(set_nodelay=said.append)

        def connect(self):
            return "connected"

    settings = {"kernel_websocket_connection_class": Connection}
    server = SimpleNamespace(
        identity_provider=SimpleNamespace(),
        web_app=SimpleNamespace(settings=settings),
        contents_manager=SimpleNamespace(get=None),
        session_manager=None,
        io_loop=SimpleNamespace(add_callback=lambda *_, **__: None),
        port=8888,
        start=lambda: said.append(settings["kernel_websocket_connection_class"]().connect()),
    )
    monkeypatch.setattr(labapp.LabApp, "initialize_server", lambda argv: server)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    cli._serve(tmp_path, "a.ipynb", "127.0.0.1", 8888, 0, browser=False)
    assert said == [True, "connected"]


# Saved widgets ------------------------------------------------------------------------------------

VIEW, STATE = (f"application/vnd.jupyter.widget-{what}+json" for what in ("view", "state"))


def saved(**state):
    """A notebook with the outputs of two widgets, one of them without HTML; and the saved state of some."""
    cells = [
        nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("display_data", data)])
        for data in ({VIEW: {"model_id": "a"}, "text/html": "<p>"}, {VIEW: {"model_id": "b"}})
    ]
    metadata = {"widgets": {STATE: {"state": state}}} if state else {}
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("A text"), *cells], metadata=metadata
    )


def opened(book, *sessions):
    """The kinds of data in the outputs of a notebook that is opened as ``x/y.ipynb``."""

    class Contents:
        async def get(self, path, content=True):
            return {"type": "notebook", "content": book if content else None}

    async def running():
        return [{"path": path} for path in sessions]

    manager = cli.with_pictures(Contents, running)()
    assert asyncio.run(manager.get("x/y.ipynb", content=False))["content"] is None
    content = asyncio.run(manager.get("/x/y.ipynb"))["content"]
    return [set(cell.outputs[0].data) for cell in content.cells[1:]]


def test_a_widget_whose_kernel_is_gone_gives_way_to_the_picture_beside_it():
    assert opened(saved()) == [{"text/html"}, {VIEW}]
    assert opened(saved(), "another.ipynb") == [{"text/html"}, {VIEW}]


def test_widgets_stay_while_their_kernel_runs_or_where_their_state_was_saved():
    assert opened(saved(), "x/y.ipynb") == [{VIEW, "text/html"}, {VIEW}]
    assert opened(saved(a={})) == [{VIEW, "text/html"}, {VIEW}]
