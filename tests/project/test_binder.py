"""Binder can read its folder: pins that fit the package, Python, and the first notebook to open."""

import os
import shutil
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from traitlets.config import PyFileConfigLoader

from tools import lab

ROOT = Path(__file__).parents[2]
BINDER = ROOT / "binder"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHON = (BINDER / "runtime.txt").read_text().strip().removeprefix("python-")


def pins():
    lines = (BINDER / "requirements.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]


def pin_of(name):
    """The pinned version of a distribution; there is one for every system and Python."""
    (pin,) = [pin for pin in pins() if pin.name == name]
    (exact,) = pin.specifier
    return exact.version


def test_every_line_is_one_exact_pin_and_nothing_else():
    for pin in pins():
        assert pin.url is None
        assert not pin.extras
        assert [exact.operator for exact in pin.specifier] == ["=="], pin
        assert "*" not in str(pin.specifier)
    names = [pin.name for pin in pins()]
    assert len(set(names)) == len(names)


def test_the_pins_lie_within_the_packages_own_bounds():
    for dependency in map(Requirement, PROJECT["dependencies"]):
        assert pin_of(dependency.name) in dependency.specifier


@pytest.mark.parametrize("python", ["3.11.2", PYTHON])
def test_what_the_package_needs_is_pinned_for_python(python):
    place = {"python_full_version": python, "python_version": ".".join(python.split(".")[:2])}
    there = {pin.name for pin in pins() if not pin.marker or pin.marker.evaluate(place)}
    assert {Requirement(dependency).name for dependency in PROJECT["dependencies"]} <= there
    assert {"ipykernel", "ipython"} <= there


def test_binders_python_suits_the_package():
    assert PYTHON in SpecifierSet(PROJECT["requires-python"])


def test_the_last_build_step_can_be_executed():
    assert os.access(BINDER / "postBuild", os.X_OK)


@pytest.mark.browser
def test_jupyterlab_starts_with_binders_settings_and_opens_on_the_first_notebook(tmp_path):
    settings = tmp_path / "settings"
    (settings / "jupyter_config_dir").mkdir(parents=True)
    shutil.copy(BINDER / "jupyter_server_config.py", settings / "jupyter_config_dir")
    with lab.jupyter(ROOT, settings, plain=True) as server:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{server.address}/?token={server.token}", timeout=60) as answer:
            page = urlsplit(answer.url).path
    assert page == "/lab/tree/notebooks/00-start-here.ipynb"
    assert (ROOT / page.removeprefix("/lab/tree/")).is_file()


def test_binders_server_sends_at_once_what_a_widget_shows(monkeypatch):
    settings = PyFileConfigLoader("jupyter_server_config.py", path=str(BINDER)).load_config().ServerApp
    kind, said = settings.kernel_websocket_connection_class, []
    assert issubclass(kind, ZMQChannelsWebsocketConnection)
    monkeypatch.setattr(ZMQChannelsWebsocketConnection, "connect", lambda self: "connected")
    monkeypatch.setattr(kind, "websocket_handler", SimpleNamespace(set_nodelay=said.append))
    assert kind().connect() == "connected" and said == [True]


@pytest.mark.slow
def test_repo2docker_accepts_the_repository():
    plan = subprocess.run(
        [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(ROOT)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    told = plan.stdout + plan.stderr
    assert plan.returncode == 0, told
    assert f"Building conda environment for python={PYTHON}" in told
    assert 'pip install --no-cache-dir -r "binder/requirements.txt"' in told
    assert "./binder/postBuild" in told
