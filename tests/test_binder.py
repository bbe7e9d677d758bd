"""Binder can read its folder: pins that fit the package, Python, and the first notebook to open."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parent.parent
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


def test_jupyterlab_opens_on_a_notebook_that_is_there():
    for settings in json.loads((BINDER / "jupyter_server_config.json").read_text()).values():
        assert (ROOT / settings["default_url"].removeprefix("/lab/tree/")).is_file()


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
