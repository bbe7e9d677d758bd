"""The test run's own rules: strict or lax notebooks, and no skip that nobody allowed.

A small project with a copy of the root conftest.py is tested in a process of its own.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
TWO = ("-n", "2", "--dist", "loadfile")
pytestmark = pytest.mark.slow
NEEDED = ("numpy", "matplotlib", "ipywidgets", "anywidget", "ipykernel", "ipython")


@pytest.fixture
def project(tmp_path):
    """A project whose pins are exactly what is installed here, with one tiny notebook."""
    for folder in ("tests", "binder"):
        (tmp_path / folder).mkdir()
    shutil.copy(ROOT / "conftest.py", tmp_path)
    shutil.copy(ROOT / "tests" / "nbval_sanitize.cfg", tmp_path / "tests")
    pins = "".join(f"{name}=={version(name)}\n" for name in NEEDED)
    (tmp_path / "binder" / "requirements.txt").write_text(pins)
    (tmp_path / "tests" / "allowed_skips.txt").write_text("# none\n")
    save_notebook(tmp_path, "1 + 1", shown="2")
    return tmp_path


def save_notebook(project, code, shown):
    v4 = nbformat.v4
    output = v4.new_output("execute_result", {"text/plain": shown}, execution_count=1)
    cell = v4.new_code_cell(code, execution_count=1, outputs=[output])
    kernel = {"kernelspec": {"name": "no-such-kernel", "display_name": "?"}}
    nbformat.write(v4.new_notebook(cells=[cell], metadata=kernel), project / "one.ipynb")


def run(project, *arguments, ci=False):
    environment = {key: value for key, value in os.environ.items() if key != "CI"}
    environment |= {"CI": "true"} if ci else {}
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=project,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def change_pin(project, old, new):
    pins = project / "binder" / "requirements.txt"
    pins.write_text(pins.read_text().replace(old, new))


def test_with_the_pinned_versions_a_changed_output_fails(project):
    save_notebook(project, "1 + 1", shown="3")
    result = run(project)
    assert result.returncode == 1
    assert "notebooks: strict" in result.stdout


def test_with_the_pinned_versions_only_addresses_may_differ(project):
    save_notebook(project, "object()", shown="<object at 0x7f0123456789>")
    result = run(project)
    assert result.returncode == 0, result.stdout


def test_with_another_version_a_changed_output_passes_and_the_header_says_why(project):
    save_notebook(project, "1 + 1", shown="3")
    change_pin(project, f"numpy=={version('numpy')}", "numpy==1.0")
    result = run(project)
    assert result.returncode == 0, result.stdout
    assert f"notebooks: lax, they must run; outputs are not compared, as numpy is {version('numpy')}" in (
        result.stdout
    )


def test_with_another_version_a_notebook_must_still_run(project):
    save_notebook(project, "1 / 0", shown="3")
    change_pin(project, f"numpy=={version('numpy')}", "numpy==1.0")
    assert run(project).returncode == 1


def test_strictness_asked_for_on_the_command_line_is_respected(project):
    save_notebook(project, "1 + 1", shown="3")
    assert run(project, "--nbval-lax").returncode == 0
    change_pin(project, f"numpy=={version('numpy')}", "numpy==1.0")
    assert run(project, "--nbval").returncode == 1


def test_pins_of_absent_packages_and_of_other_systems_do_not_count():
    pins = "no-such-package==1.0\npip==0.1 ; sys_platform == 'nowhere'\n# a comment\n"
    assert conftest().differences_from_pins(pins) == []


def conftest():
    spec = importlib.util.spec_from_file_location("conftest_under_test", ROOT / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SKIPPING = """
import pytest

@pytest.mark.parametrize("n", [1, 2])
def test_needs_a_moon(n):
    pytest.skip("no moon")

@pytest.mark.xfail
def test_known_gap():
    assert False
"""


@pytest.fixture
def skipping(project):
    (project / "tests" / "test_moon.py").write_text(SKIPPING)
    return project


def allow(project, text):
    (project / "tests" / "allowed_skips.txt").write_text(text)


def test_outside_ci_a_skip_is_just_a_skip(skipping):
    assert run(skipping, "tests").returncode == 0


@pytest.mark.parametrize("processes", [(), TWO], ids=["one process", "two"])
def test_in_ci_a_skip_that_is_not_listed_fails_the_run_and_is_named(skipping, processes):
    allow(skipping, "tests/test_moon.py::test_needs_a_moon[1]  # no moon in CI\n")
    result = run(skipping, "tests", *processes, ci=True)
    assert result.returncode == 1
    surprises = [line for line in result.stdout.splitlines() if "not listed" in line]
    assert len(surprises) == 1
    assert "tests/test_moon.py::test_needs_a_moon[2] (no moon)" in surprises[0]


@pytest.mark.parametrize("processes", [(), TWO], ids=["one process", "two"])
def test_in_ci_a_module_skipped_as_a_whole_counts_too(project, processes):
    (project / "tests" / "test_moon.py").write_text("import pytest\npytest.importorskip('moon')\n")
    (project / "tests" / "test_sun.py").write_text("def test_sun(): pass\n")
    result = run(project, "tests", *processes, ci=True)
    assert result.returncode == 1
    assert result.stdout.count("not listed in tests/allowed_skips.txt: tests/test_moon.py") == 1


@pytest.mark.parametrize("processes", [(), TWO], ids=["one process", "two"])
def test_in_ci_listed_skips_pass_also_by_pattern(skipping, processes):
    allow(skipping, "# a comment\n\ntests/test_moon.py::*  # no moon in CI\n")
    assert run(skipping, "tests", *processes, ci=True).returncode == 0


MARKED = """
import pytest

@pytest.fixture
def browser(): pass

@pytest.fixture
def page(browser): pass

@pytest.fixture
def kernel(): pass

def test_looks(page): pass

def test_runs(kernel): pass

def test_computes(): pass
"""


def test_a_test_is_marked_by_what_it_starts_and_so_are_the_cells_of_notebooks(project):
    (project / "tests" / "test_moon.py").write_text(MARKED)
    assert "test_moon.py::test_looks\n" in run(project, "-m", "browser", "--collect-only", "-q").stdout
    rest = run(project, "-m", "not browser and not notebook", "--collect-only", "-q").stdout
    assert "test_moon.py::test_computes\n" in rest and "1/4 tests collected" in rest


def test_a_listed_skip_needs_a_reason(skipping):
    allow(skipping, "tests/test_moon.py::*\n")
    result = run(skipping, "tests", ci=True)
    assert result.returncode != 0
    assert "no reason given" in result.stderr
