"""Measure what the README and benchmarks/README.md claim: ``python -m benchmarks [NAME …]``.

Rounds of the things compared are interleaved, so that a slow moment of the machine hits all alike;
medians are shown with their range. Nothing here is a test: a measurement reports, it does not fail.
"""

from __future__ import annotations

import argparse
import contextlib
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
    """Building a step-through in the kernel, and what travels to the browser."""
    import json

    import backprop_lab as bl
    from tools import graphs

    for name in STEPPED:
        times = []
        for _ in range(rounds):
            graph = graphs.ALL[name]()
            start = time.perf_counter()
            film = bl.step_through(graph)
            times.append((time.perf_counter() - start) * 1000)
        size = len(json.dumps(film.film, ensure_ascii=False).encode()) / 1024
        print(f"{name}: {film!r}, built in {spread(times)}, {size:.0f} KiB travel")


STEPPED = {"lecture with penalty": 14, "residual": 27, "200 nodes": 206}  # the graphs, and their nodes


@contextlib.contextmanager
def opened(*cells):
    """A page of JupyterLab with a notebook of these cells, all run, and a last one that uses matplotlib."""
    from tools import lab

    first = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nimport numpy as np, backprop_lab as bl"
    last = "from benchmarks.redrawn import redrawn\nredrawn()"
    with (
        tempfile.TemporaryDirectory() as root,
        tempfile.TemporaryDirectory() as settings,
        lab.jupyter(Path(root), Path(settings)) as server,
        lab.chromium() as browser,
        lab.new_page(browser, 1280, 1600) as page,
    ):
        sources = (first, *cells, last)
        lab.write_notebook(Path(root) / "measured.ipynb", sources)
        lab.open_notebook(page, server, "measured.ipynb")
        lab.run_all(page)
        page.wait_for_selector("img.jupyter-widgets, .jp-OutputArea .widget-image")
        yield page


def without_a_browser() -> bool:
    """Whether there is no browser; then print how to get one."""
    from tools import lab

    missing = lab.find_browser() is None
    if missing:
        print(lab.HOW_TO_GET_ONE)
    return missing


def steps(presses: int = 30):
    """In JupyterLab: from a key or an input to the changed page, beside matplotlib drawing in the kernel."""
    if without_a_browser():
        return
    cells = [f"from tools import graphs\nbl.step_through(graphs.ALL[{name!r}](), step=1)" for name in STEPPED]
    with opened(*cells) as page:
        page.locator("summary", has_text="Change the inputs").first.click()
        page.locator(".bl-fields input").first.wait_for()
        taken: dict[str, list[float]] = {}
        for round in range(presses):  # interleaved: a slow moment of the machine hits all alike
            for i, (name, nodes) in enumerate(STEPPED.items()):
                key = "ArrowLeft" if round // 6 % 2 else "ArrowRight"
                taken.setdefault(f"key, {name}, {nodes} nodes", []).append(page.evaluate(_KEY, [i, key]))
            taken.setdefault("input, lecture with penalty", []).append(page.evaluate(_INPUT, round))
            taken.setdefault("key, matplotlib in the kernel", []).append(page.evaluate(_REDRAWN, round))
        for what, times in taken.items():
            print(f"{what}: {spread(times)}")


EXPLORED = {  # the explorers, each drawn at its own start
    "chain_rule": "bl.explore.chain_rule(np.sin, np.square)",
    "finite_difference": "bl.explore.finite_difference(lambda x: np.sin(x**2))",
    "jacobian_map": "bl.explore.jacobian_map(lambda r, t: (r * np.cos(t), r * np.sin(t)))",
}


def explorers(moves: int = 40):
    """In JupyterLab: from a drag to the changed page, beside matplotlib drawing in the kernel."""
    if without_a_browser():
        return
    with opened(*EXPLORED.values()) as page:
        taken: dict[str, list[float]] = {}
        for round in range(moves):
            for i, name in enumerate(EXPLORED):
                area = page.locator(".bl-explore").nth(i).locator(".bl-area[data-x]")
                area.scroll_into_view_if_needed()
                box = area.bounding_box()
                x, y = box["x"] + box["width"] * (0.4 + round % 20 / 100), box["y"] + box["height"] / 2
                page.mouse.move(x, y)
                page.mouse.down()
                page.wait_for_timeout(150)  # the drag's beginning has been drawn
                page.evaluate(_DRAG, i)
                page.mouse.move(x + 12, y)
                taken.setdefault(f"drag, {name}", []).append(page.evaluate("() => window.taken"))
                page.mouse.up()
            taken.setdefault("key, matplotlib in the kernel", []).append(page.evaluate(_REDRAWN, round))
        for what, times in taken.items():
            print(f"{what}: {spread(times)}")


# Each from the event itself to the end of a layout that the change made necessary.
_KEY = """([which, key]) => {
  const frame = document.querySelectorAll('.bl-step')[which];
  const start = performance.now();
  frame.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
  frame.querySelector('.bl-panel').getBoundingClientRect();
  frame.querySelector('.bl-stage svg').getBoundingClientRect();
  return performance.now() - start;
}"""
_INPUT = """round => new Promise(done => {
  const frame = document.querySelector('.bl-step'), field = frame.querySelector('.bl-fields input');
  const start = performance.now();
  new MutationObserver((_, observer) => {
    observer.disconnect();
    frame.querySelector('.bl-panel').getBoundingClientRect();
    frame.querySelector('.bl-stage svg').getBoundingClientRect();
    done(performance.now() - start);
  }).observe(frame.querySelector('.bl-stage'), {childList: true});
  field.value = String(6 + round / 10);
  field.dispatchEvent(new Event('input', {bubbles: true}));
})"""
_DRAG = """which => {
  const frame = document.querySelectorAll('.bl-explore')[which], stage = frame.querySelector('.bl-stage');
  window.taken = new Promise(done => {
    stage.addEventListener('pointermove', () => {
      const start = performance.now();
      new MutationObserver((_, observer) => {
        observer.disconnect();
        frame.getBoundingClientRect();
        done(performance.now() - start);
      }).observe(stage, {childList: true});
    }, {once: true, capture: true});
  });
}"""
_REDRAWN = """round => new Promise(done => {
  const image = document.querySelector('img.jupyter-widgets, .widget-image img, img.widget-image');
  const slider = [...document.querySelectorAll('.noUi-handle')].pop();
  const start = performance.now();
  image.addEventListener('load', () => {
    image.getBoundingClientRect();
    done(performance.now() - start);
  }, {once: true});
  const key = round / 6 % 2 < 1 ? 'ArrowRight' : 'ArrowLeft';
  slider.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
})"""


def training(seconds: float = 4, rounds: int = 3):
    """In JupyterLab: the penalty is dragged, 300 steps are retrained and repainted, beside matplotlib."""
    from tools import lab

    if without_a_browser():
        return
    one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    with (
        tempfile.TemporaryDirectory() as root,
        tempfile.TemporaryDirectory() as settings,
        _environment(one_thread),
        lab.jupyter(Path(root), Path(settings)) as server,
        lab.chromium() as browser,
    ):
        for name, network in RETRAINED.items():
            given = ", ".join(f"{key}={value!r}" for key, value in network.items())
            cells = [
                f"import sys; sys.path.insert(0, {str(ROOT)!r})\nimport time, statistics\n"
                "import backprop_lab as bl\nfrom benchmarks.redrawn import retrained\n"
                "from backprop_lab.training_lab.settings import Settings",
                f"lab = bl.explore.training({given})\nlab",
                f"retrained(Settings({given}))",
                _ALONE,
            ]
            lab.write_notebook(Path(root) / "measured.ipynb", cells)
            taken: dict[str, list[float]] = {}
            with lab.new_page(browser) as page:
                lab.open_notebook(page, server, "measured.ipynb")
                lab.run_all(page)
                page.wait_for_selector("img.jupyter-widgets, .jp-OutputArea .widget-image")
                alone = page.locator(".jp-OutputArea-output pre", has_text="alone:")
                print(f"{name}, {alone.inner_text().strip()}")
                for _ in range(rounds):
                    for what, script in (("dragged", _DRAGGED), ("matplotlib", _RETRAINED)):
                        taken.setdefault(what, []).append(page.evaluate(script, seconds * 1000))
                    for late in page.evaluate(_LAST, 5):
                        taken.setdefault("from the last change to its picture", []).append(late)
            for what, values in taken.items():
                unit = "ms" if "from" in what else "pictures a second"
                print(f"{name}, {what}: {spread(values, unit)}")


_WIDE = {"hidden": (64, 64), "outputs": 2, "n": 256, "batch_size": 128, "dtype": "float32"}
RETRAINED = {
    "2-16-16-1, tanh": {"hidden": (16, 16)},
    "2-16-16-1, relu": {"hidden": (16, 16), "activation": "relu"},
    "2-64-64-2, relu": _WIDE | {"activation": "relu"},
}
_ALONE = """times = []
for _ in range(9):
    start = time.perf_counter(); lab.model.retrain(300); times.append(time.perf_counter() - start)
alone = 1000 * statistics.median(times)
print(f"300 steps alone: {alone:.1f} ms, {1000 / alone:.1f} a second")"""

# A drag over the slider of the penalty, an event at every frame of the screen; pictures that were painted.
_DRAGGED = """duration => new Promise(done => {
  const root = document.querySelector('.bl-explore.bl-training');
  const slider = root.querySelectorAll('input[type=range]')[1];
  const before = Number(root.dataset.runs), start = performance.now();
  const drag = now => {
    if (now - start > duration)
      return done((Number(root.dataset.runs) - before) / (performance.now() - start) * 1000);
    slider.value = String(Math.round((now - start) / 25) % 90);
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    requestAnimationFrame(drag);
  };
  requestAnimationFrame(drag);
})"""
_LAST = """async times => {
  const root = document.querySelector('.bl-explore.bl-training');
  const slider = root.querySelectorAll('input[type=range]')[1];
  const frame = () => new Promise(requestAnimationFrame), taken = [];
  for (let i = 0; i < times; i += 1) {
    for (let k = 0; k < 20; k += 1) {
      slider.value = String(10 + k + i);
      slider.dispatchEvent(new Event('input', {bubbles: true}));
      await frame();
    }
    const start = performance.now();
    while (root.getAttribute('aria-busy') === 'true') await frame();
    taken.push(performance.now() - start);
  }
  return taken;
}"""
_RETRAINED = """duration => new Promise(done => {
  const image = document.querySelector('img.jupyter-widgets, .widget-image img, img.widget-image');
  const slider = [...document.querySelectorAll('.noUi-handle')].pop();
  const start = performance.now();
  let pictures = 0;
  const press = () => slider.dispatchEvent(new KeyboardEvent('keydown', {
    key: pictures % 2 ? 'ArrowLeft' : 'ArrowRight', bubbles: true})); // never beyond an end
  const loaded = () => {
    pictures += 1;
    if (performance.now() - start < duration) return press();
    image.removeEventListener('load', loaded);
    done(pictures / (performance.now() - start) * 1000);
  };
  image.addEventListener('load', loaded);
  press();
})"""


@contextlib.contextmanager
def _environment(variables):
    """Set these environment variables for all that is started meanwhile."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def notebooks():
    """All notebooks compared by nbval, as in the tests."""
    start = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "notebooks"], cwd=ROOT, capture_output=True, text=True
    )
    print(f"{run.stdout.strip().splitlines()[-1]}; {time.perf_counter() - start:.0f} s in all")


def speed():
    """The fast program, the SGD step and the explaining pass against NumPy by hand and other libraries."""
    from benchmarks import speed

    speed.main()


def classroom():
    """Memory for each learner, and twenty of them at once on one Jupyter server."""
    from benchmarks import classroom

    classroom.main()


MEASUREMENTS = {
    "speed": speed,
    "imports": imports,
    "widget": widget,
    "steps": steps,
    "explorers": explorers,
    "training": training,
    "notebooks": notebooks,
    "classroom": classroom,
}


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
