"""The scripts: functions short enough to be seen whole, and what joins the modules of a widget to one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from javascript import functions

import backprop_lab
from backprop_lab.browser.assets import script, style

PACKAGE = Path(backprop_lab.__file__).parent
MOST_LINES = 80  # of a function
SCRIPTS = sorted(PACKAGE.glob("*/*.js"))
STYLES = sorted(PACKAGE.glob("*/*.css"))


def named(path):
    return path.relative_to(PACKAGE).as_posix()


# What a widget, or the saved page, starts from: nothing imports it.
ENTRIES = [
    path for path in SCRIPTS if not any(f'/{path.name}"' in other.read_text("utf-8") for other in SCRIPTS)
]


def lengths(source):
    return [last - first + 1 for first, last in functions(source)]


@pytest.mark.parametrize("path", SCRIPTS, ids=named)
def test_no_function_of_a_script_is_longer_than_80_lines(path):
    source = path.read_text("utf-8")
    assert [(first, last) for first, last in functions(source) if last - first >= MOST_LINES] == []


BODY = "\n".join(f"  if (x === {i}) {{ x += 1; }}" for i in range(79))


@pytest.mark.parametrize(
    "head, end",
    [
        ("function f(x) {", "}"),
        ("async function* f(x = {}) {", "}"),
        ("const f = (x) => {", "};"),
        ("const f = x => {", "};"),
        ("const f = function (x) {", "};"),
        ("const f = ({ x }, [y] = [1]) => {", "};"),
        ("class A { get(x) {", "} }"),
        ("const a = { f(x) {", "} };"),
        ("f(`${list.map((x) => {", "}).join(`)}`)}`);"),
    ],
)
def test_a_function_of_81_lines_is_seen_whatever_it_looks_like(head, end):
    assert max(lengths(f"// before\n{head}\n{BODY}\n{end}\nconst after = 1;")) == 81


@pytest.mark.parametrize(
    "line",
    [
        'const text = "}";',
        "const text = '{\\'{';",
        "const text = `{ ${`}${1}`} {`;",
        "const pattern = /[/}]{2}\\/{/;",
        "const half = a / 2; // } }",
        "/* { */",
        "if (a) { b(); } else { c(); }",
        "for (const { a } of b) { c(); }",
    ],
)
def test_what_is_no_function_is_not_taken_for_one_nor_for_an_end(line):
    assert functions(f"function f() {{\n{line}\n}}") == [(1, 3)]


def test_what_a_widget_starts_from_is_found():
    assert {named(path) for path in ENTRIES} == {
        "browser/shared.js",
        "exercises/question.js",
        "exercises/which_function.js",
        "explorers/explorer.js",
        "stepping/saved_page.js",
        "stepping/step_through_widget.js",
        "training_lab/training.js",
    }


@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_joined_modules_declare_every_name_once_and_import_nothing(entry):
    text = script(named(entry))
    names = re.findall(r"^(?:export )?(?:const|let|function|class) (\w+)", text, re.M)
    assert len(names) == len(set(names))
    assert not re.search(r"^import\b", text, re.M)
    assert text.count("export default") == (entry.name != "saved_page.js")


_ENDS_WITH_RENDER = """async text => {
  const module = await import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  return typeof module.default.render;
}"""


@pytest.mark.parametrize("entry", [path for path in ENTRIES if path.name != "saved_page.js"], ids=named)
def test_the_browser_reads_what_is_joined(page, entry):
    assert page.evaluate(_ENDS_WITH_RENDER, script(named(entry))) == "function"


def test_only_comments_on_lines_of_their_own_go_away():
    text = script("exercises/question.js")
    assert not re.search(r"^ *//", text, re.M) and "; // of a number that should" in text
    assert "/** @type {HTMLElement} */ (list.children" in text


def test_modules_are_joined_once_each_and_before_those_that_need_them():
    text = script("training_lab/training.js")
    places = [
        text.index(word)
        for word in ("function make(", "function newest(", "function mount(", "class TrainingLab")
    ]
    assert places == sorted(places) and text.count("function make(") == 1


@pytest.mark.parametrize("path", STYLES, ids=named)
def test_joined_style_sheets_import_nothing(path):
    assert "@import" not in style(named(path))


def test_a_widget_brings_only_the_style_that_it_needs():
    assert ".bl-plane" not in style("exercises/question.css") + style("stepping/step_through.css")
    assert ".bl-order" not in style("training_lab/training.css")
    for name in (
        "exercises/question",
        "explorers/explorer",
        "stepping/step_through",
        "training_lab/training",
    ):
        assert style(f"{name}.css").count("\n.bl-card {") == 1, "pictures are drawn in all of them"
