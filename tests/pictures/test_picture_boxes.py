"""Pictures as a real Chromium lays them out: by the boxes of everything in them, for every graph of
``tools/graphs.py``, at every level of folding, at the first, the middle and the last position."""

from __future__ import annotations

import pytest

import backprop_lab as bl
from backprop_lab.pictures import timeline
from backprop_lab.pictures.svg import levels
from tools import graphs, lab, looks

SMALLEST = 11  # pixels of a text


@pytest.fixture(scope="module")
def page(browser):
    """One page for all pictures: they only stand there."""
    with lab.new_page(browser) as page:
        yield page
        assert page.strangers == [], "a request left the machine"
        assert page.errors == [], "a script failed"


FAULTS = """smallest => {
  const faults = [];
  const box = e => { const b = e.getBBox(); return [b.x, b.y, b.x + b.width, b.y + b.height]; };
  const grown = ([l, t, r, b], by) => [l - by, t - by, r + by, b + by];
  const within = (a, b) => a[0] >= b[0] && a[1] >= b[1] && a[2] <= b[2] && a[3] <= b[3];
  const meet = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
  const pairs = (list, check) => list.forEach((a, i) => list.slice(i + 1).forEach(b => check(a, b)));
  const parts = selector => [...document.querySelectorAll(selector)];

  const points = path => { // of M, H and C, as the browser draws them; getPointAtLength takes minutes
    const found = [];
    let x = 0, y = 0;
    for (const [, command, rest] of path.getAttribute("d").matchAll(/([MHC])([^MHC]*)/g)) {
      const n = rest.trim().split(" ").map(Number);
      const [x0, y0] = [x, y];
      [x, y] = command === "H" ? [n[0], y] : n.slice(-2);
      const steps = command === "M" ? 1 : Math.ceil(Math.abs(x - x0) / 5 + Math.abs(y - y0) / 5) + 1;
      for (let i = 1; i <= steps; i++) {
        const t = i / steps, u = 1 - t;
        const mix = (a, b, c, d) => u * u * u * a + 3 * u * u * t * b + 3 * u * t * t * c + t * t * t * d;
        if (command === "C") found.push([mix(x0, n[0], n[2], x), mix(y0, n[1], n[3], y)]);
        else if (command === "H") found.push([u * x0 + t * x, y]);
        else found.push([x, y]);
      }
    }
    return found;
  };

  const svg = document.querySelector("svg");
  const page = [0, 0, svg.viewBox.baseVal.width, svg.viewBox.baseVal.height];
  for (const e of parts("svg rect, svg text, svg image, svg path"))
    if (!within(box(e), page)) faults.push(`${e.getAttribute("class")} ${e.textContent} leaves the picture`);
  for (const text of parts("svg text, svg tspan"))
    if (parseFloat(getComputedStyle(text).fontSize) < smallest)
      faults.push(`${text.textContent} is too small`);

  const cards = parts("g[data-node]").map(g => ({ g, box: box(g.querySelector(".bl-card")) }));
  for (const { g, box: card } of cards) {
    const texts = [...g.querySelectorAll("text, image")].map(t => ({ t, box: box(t) }));
    for (const { t, box } of texts)
      if (!within(box, grown(card, 1))) faults.push(`${t.textContent || "image"} leaves its card`);
    pairs(texts, (a, b) => {
      if (meet(grown(a.box, -1.5), grown(b.box, -1.5)))
        faults.push(`${a.t.textContent} and ${b.t.textContent} lie on each other`);
    });
  }
  pairs(cards, (a, b) => { if (meet(grown(a.box, 5), grown(b.box, 5))) faults.push("two cards meet"); });

  const labels = parts(".bl-label").map(g => ({ g, box: box(g.querySelector(".bl-plate")) }));
  for (const { g, box: plate } of labels) {
    for (const inner of g.querySelectorAll("text, image"))
      if (!within(box(inner), grown(plate, 1))) faults.push(`${inner.textContent} leaves its label`);
    for (const card of cards) if (meet(plate, card.box)) faults.push(`${g.textContent} lies on a card`);
  }
  pairs(labels, (a, b) => {
    if (meet(a.box, b.box)) faults.push(`${a.g.textContent} lies on ${b.g.textContent}`);
  });

  for (const arrow of parts(".bl-forward, .bl-back")) {
    const extent = grown(box(arrow), 1);
    const near = cards.map(c => grown(c.box, -1)).filter(c => meet(c, extent));
    const inside = ([x, y]) => near.some(([l, t, r, b]) => l < x && x < r && t < y && y < b);
    if (near.length && points(arrow).some(inside)) faults.push("an arrow runs through a card");
  }
  return { faults, cards: cards.length, arrows: parts(".bl-forward").length, labels: labels.length };
}"""


@pytest.mark.parametrize("name", graphs.ALL)
def test_nothing_lies_on_or_leaves_anything(page, name):
    J = graphs.ALL[name]()
    steps = bl.steps(J)
    forward = sum(step.phase == "forward" for step in steps)
    for level, picture in levels(timeline.of_steps(J, steps)):
        for position in (0, forward + (len(steps) - forward) // 2, len(steps)):
            page.set_content(picture.still(position))
            seen = page.evaluate(FAULTS, SMALLEST)
            assert seen["faults"] == [], f"{level} at {position}"
            assert seen["cards"] == len(picture)
            assert seen["arrows"] == sum(map(len, picture.flows))


def test_in_a_picture_of_several_rounds_everything_has_its_place_too(page):
    J = graphs.lecture(penalty=True)
    rounds = []
    for _ in range(3):
        rounds.append(bl.steps(J))
        for variable, gradient in bl.backward(J).items():
            variable.value = variable.value - 0.037 * gradient
    line = timeline.of_rounds(J, rounds)
    for level, picture in levels(line):
        for position in range(0, line.length, 7):
            page.set_content(picture.still(position))
            assert page.evaluate(FAULTS, SMALLEST)["faults"] == [], f"{level} at {position}"


def test_there_is_a_command_that_takes_screenshots_for_a_person_to_look_at(browser, tmp_path):
    made = looks.looks(browser, tmp_path, ["product"])
    assert sorted(path.name for path in made) == [
        "product.all.dark.png",
        "product.all.light.png",
        "sheet.all.dark.png",
        "sheet.all.grey.png",
        "sheet.all.light.png",
    ]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in made)
