"""Measure what the README and benchmarks/README.md claim: ``python -m benchmarks [NAME …]``.

Rounds of the things compared are interleaved, so that a slow moment of the machine hits all alike;
medians are shown with their range. Nothing here is a test: a measurement tells, it does not fail.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent


def spread(samples, unit="ms") -> str:
    """``median (fastest–slowest)``."""
    return f"{statistics.median(samples):.2f} ({min(samples):.2f}–{max(samples):.2f}) {unit}"


def imports(rounds: int = 61):
    """Import of NumPy against import of the package, each in a fresh process."""
    program = "import time; t = time.perf_counter(); import {}; print((time.perf_counter() - t) * 1000)"
    samples: dict[str, list[float]] = {"numpy": [], "backprop_lab": []}
    # As installed, with compiled modules kept: the first round writes them and does not count.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(rounds):
        for name, times in samples.items():
            command = [sys.executable, "-c", program.format(name)]
            run = subprocess.run(command, capture_output=True, check=True, cwd=ROOT, env=environment)
            times.append(float(run.stdout))
    for name, times in samples.items():
        print(f"import {name:14} {spread(times[1:])}")
    medians = [statistics.median(times[1:]) for times in samples.values()]
    print(f"ratio                 {medians[1] / medians[0]:.2f}")


def widget(rounds: int = 20):
    """Building the step-through of the lecture's network in the kernel, and what travels."""
    import json

    import backprop_lab as bl
    from tools.graphs import chain, lecture

    chosen = {"lecture's network with penalty": lecture(penalty=True), "chain of 200 nodes": chain(199)}
    for name, graph in chosen.items():
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            film = bl.step_through(graph)
            times.append((time.perf_counter() - start) * 1000)
        size = len(json.dumps(film.film, ensure_ascii=False).encode()) / 1024
        print(f"{name}: {len(film.steps)} steps, built in {spread(times)}, {size:.0f} KiB travel")


def steps(presses: int = 60):
    """Key press to changed and laid-out page in JupyterLab, notebook 06."""
    from tools import lab

    if lab.find_browser() is None:
        print(lab.HOW_TO_GET_ONE)
        return
    with (
        tempfile.TemporaryDirectory() as root,
        tempfile.TemporaryDirectory() as settings,
        lab.jupyter(Path(root), Path(settings)) as server,
        lab.chromium() as browser,
        lab.new_page(browser) as page,
    ):
        lab.open_notebook(page, server, "06-the-backward-pass.ipynb")
        lab.run_all(page)
        frame = page.locator(".bl-step").first
        frame.locator(".bl-predict input").uncheck()
        frame.focus()
        page.evaluate(_STOPWATCH)
        for i in range(presses):
            page.keyboard.press("ArrowLeft" if i // 6 % 2 else "ArrowRight")
            page.wait_for_timeout(30)
        print(f"key press to changed page, {presses} presses: {spread(page.evaluate('window.taken'))}")


# From the key's own event to the end of a layout that the changes made necessary.
_STOPWATCH = """() => {
  window.taken = [];
  let start = 0;
  window.addEventListener('keydown', () => { start = performance.now(); }, true);
  const frame = document.querySelector('.bl-step');
  new MutationObserver(() => {
    if (!start) return;
    frame.getBoundingClientRect();
    frame.querySelector('.bl-panel').getBoundingClientRect();
    window.taken.push(performance.now() - start);
    start = 0;
  }).observe(frame.querySelector('.bl-counter'), {childList: true, characterData: true, subtree: true});
}"""


def notebooks():
    """All notebooks compared by nbval, as the test run does it."""
    start = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "notebooks"], cwd=ROOT, capture_output=True, text=True
    )
    print(f"{run.stdout.strip().splitlines()[-1]}; {time.perf_counter() - start:.0f} s in all")


def speed():
    """The fast program, the SGD step and the explaining pass against NumPy by hand and other libraries."""
    one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    flags = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}
    environment = os.environ | one_thread | flags
    subprocess.run([sys.executable, "-m", "benchmarks.speed"], cwd=ROOT, env=environment, check=True)


MEASUREMENTS = {"speed": speed, "imports": imports, "widget": widget, "steps": steps, "notebooks": notebooks}


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of: {', '.join(MEASUREMENTS)} (all by default)")
    names = parser.parse_args().names or list(MEASUREMENTS)
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        parser.error(f"no measurement {unknown[0]!r}; there are {', '.join(MEASUREMENTS)}")
    for name in names:
        print(f"\n{MEASUREMENTS[name].__doc__}")
        MEASUREMENTS[name]()


if __name__ == "__main__":
    main()
