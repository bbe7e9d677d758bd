"""``newest.js``: which values are asked for, whatever comes faster than the kernel answers."""

from __future__ import annotations

import pytest

from backprop_lab.browser import assets

# What happens, in order: a number is given; the kernel is "ready", has "answered", or nobody answers: "late".
_PLAYED = """happens => {
  const asked = [], busy = [];
  let fire = null;
  window.setTimeout = call => { fire = call; return 1; };
  window.clearTimeout = () => { fire = null; };
  const kernel = newest(value => asked.at(-1) !== value && asked.push(value) > 0, () => asked.push('silent'));
  for (const what of happens) {
    if (what === 'late') fire?.();
    else if (typeof what === 'string') kernel[what]();
    else kernel.give(what);
    busy.push(kernel.busy());
  }
  return [asked, busy];
}"""


@pytest.fixture
def played(page):
    page.add_script_tag(content=assets.script("browser/newest.js").replace("export ", ""))
    return lambda *happens: page.evaluate(_PLAYED, happens)


def test_while_the_kernel_works_later_values_wait_and_only_the_last_follows(played):
    assert played(1, 2, 3, 4) == [[1], [True] * 4]
    asked, busy = played(1, 2, 3, 4, "answered", 5, 6, "answered", "answered")
    assert asked == [1, 4, 6]
    assert busy[-2:] == [True, False], "busy until the last answer"


def test_a_kernel_that_is_ready_is_asked_before_it_has_answered(played):
    asked, busy = played(1, 2, 3, "ready", 4, 5, "answered", 6, "ready", "answered", "answered")
    assert asked == [1, 3, 6]
    assert busy == [True] * 10 + [False]


def test_never_more_than_one_value_is_on_its_way(played):
    assert played(1, "ready", 2, 3, "answered", 4)[0] == [1, 2], "2 is not begun with yet"
    assert played(1, "ready", 2, 3, "answered", 4, "ready")[0] == [1, 2, 4]


def test_a_value_that_the_kernel_has_is_not_asked_for_again(played):
    assert played(1, 1, "answered") == [[1], [True, True, False]]


def test_after_a_silence_it_is_asked_again(played):
    asked, busy = played(1, 2, "late", 3, "answered", "late")
    assert asked == [1, "silent", 3]
    assert busy == [True, True, False, True, False, False]
