"""PNG and GIF: what the SVG shows, the same bytes every time, and no font but DejaVu's."""

from __future__ import annotations

import io
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

import backprop_lab as bl
from backprop_lab.pictures import raster, timeline
from backprop_lab.pictures.palette import LIGHT
from backprop_lab.pictures.svg import Picture
from tools import graphs

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("resvg_py")

SHEET = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><style></style>{}</svg>'


def picture(J):
    return Picture(timeline.of_steps(J, bl.steps(J)))


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def rgb(colour):
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def count(image, colour, within=8):
    return int((np.abs(image - rgb(colour)).max(axis=2) <= within).sum())


def test_a_png_has_two_pixels_for_a_unit_and_white_paper():
    svg = bl.draw(graphs.lecture()).svg
    root = ElementTree.fromstring(svg)
    width, height = float(root.get("width")), float(root.get("height"))
    image = pixels(raster.png(svg))
    assert abs(image.shape[1] - 2 * width) <= 1 and abs(image.shape[0] - 2 * height) <= 1
    assert image[0, 0].tolist() == image[-1, -1].tolist() == [255, 255, 255]


def still(film, folder):
    """The picture that a step-through saves at its position."""
    return film.save(folder / "still.svg").read_text("utf-8")


@pytest.mark.slow
def test_the_same_picture_gives_the_same_bytes(tmp_path):
    first, second = (bl.step_through(graphs.lecture(), step=9) for _ in range(2))
    assert raster.png(still(first, tmp_path)) == raster.png(still(second, tmp_path))
    one, other = (raster.gif([bl.draw(graphs.product()).svg] * 2) for _ in range(2))
    assert one == other


@pytest.mark.slow
def test_green_comes_forwards_and_vermillion_backwards():
    made = picture(graphs.lecture())
    before, middle, after = (pixels(raster.png(made.still(p))) for p in (0, 6, made.line.length - 1))
    green, vermillion, tint = LIGHT["known"], LIGHT["gradient"], LIGHT["tint-gradient"]
    assert 0 < count(before, green) < count(middle, green)
    assert count(before, vermillion) == count(middle, vermillion) == 0 < count(after, vermillion)
    assert count(after, tint, within=0) > 10_000


@pytest.mark.slow
def test_nothing_is_left_that_resvg_cannot_read():
    for make in graphs.ALL.values():
        made = picture(make())
        for position in (0, made.line.length // 2, made.line.length - 1):
            text = raster.plain(made.still(position))
            assert not re.search(r"var\(|@media|--bl-", text.partition("</style>")[0])
            ElementTree.fromstring(text)


def test_what_a_learner_wrote_is_never_taken_for_style():
    x = bl.variable("var(--bl-ink) @media { x { } }", 1.0)
    assert "var(--bl-ink) @media" in raster.plain(bl.draw(x * 2).svg)


def test_spaces_keep_a_columns_numbers_to_the_right():
    """In (20, 8) the 8 stands under the 0, and nothing is pulled apart."""
    style = "<style>.bl-numbers { font: 12px 'DejaVu Sans Mono'; white-space: pre; }</style>"
    row = '<text class="bl-numbers" x="2" y="20" textLength="{}">{}</text>'

    def left_half_is_empty(text):
        drawn = SHEET.format(row.format(7.3 * len(text), text)).replace("<style></style>", style)
        return (pixels(raster.png(drawn))[:, : 2 * 9] == 255).all()

    assert left_half_is_empty(" 8") and not left_half_is_empty("20")


@pytest.mark.parametrize("letter", [*"→←∂ᵀΣθŷ₁²√σ⊙·−×‖∞…λ"])
@pytest.mark.parametrize("family", ["DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono"])
def test_every_sign_of_the_lecture_is_drawn_and_none_as_a_box(letter, family):
    def drawn(text):
        mark = f'<text x="8" y="28" font-size="20" font-family="{family}">{text}</text>'
        return raster.png(SHEET.format(mark))

    assert drawn(letter) not in {drawn(""), drawn("\ue123"), drawn("\U00055555")}


def test_a_combining_tilde_stands_on_its_letter():
    def drawn(text):
        style = '<text x="10" y="30" font-size="20" font-weight="700" font-family="DejaVu Serif">'
        return pixels(raster.png(SHEET.format(f"{style}{text}</text>"))) < 128

    plain, marked = drawn("J"), drawn("J\u0303")
    assert (marked & plain).sum() > 0.95 * plain.sum()
    extra = np.argwhere((marked & ~plain).any(axis=2))
    letter = np.argwhere(plain.any(axis=2))
    assert extra[:, 0].max() <= letter[:, 0].min() + 2  # above, and not beside it
    assert letter[:, 1].min() - 8 <= extra[:, 1].min() and extra[:, 1].max() <= letter[:, 1].max() + 8


# ---------------------------------------------------------------------------------------- the files


@pytest.mark.slow
def test_a_drawing_and_a_step_through_are_saved_as_png(tmp_path):
    J = graphs.lecture()
    film = bl.step_through(J, step=9)
    one = bl.draw(J).save(tmp_path / "graph.png").read_bytes()
    other = film.save(tmp_path / "step.png").read_bytes()
    assert one.startswith(b"\x89PNG") and other == raster.png(still(film, tmp_path)) != one


@pytest.fixture(scope="module")
def lecture_film(tmp_path_factory):
    """The step-through of the lecture's network, and where it is saved as an animation."""
    film = bl.step_through(graphs.lecture())
    return film, film.save(tmp_path_factory.mktemp("films") / "lecture.gif")


def opened(path):
    """(size, duration, pixels) of each frame of an animation."""
    animation = Image.open(path)
    for i in range(animation.n_frames):
        animation.seek(i)
        picture = np.asarray(animation.convert("RGB")).astype(int)
        yield animation.size, animation.info["duration"], picture


@pytest.mark.slow
def test_a_gif_has_one_frame_a_step_all_of_one_size_and_goes_round(lecture_film, tmp_path):
    film, path = lecture_film
    sizes, durations, images = zip(*opened(path), strict=True)
    assert Image.open(path).info["loop"] == 0
    assert len(images) == len(film.steps) + 1
    assert len(set(sizes)) == 1
    assert durations == (1600, *[800] * (len(images) - 2), 3200)
    for position in (0, len(images) // 3, len(images) - 1):
        film.position = position
        wanted = pixels(raster.png(still(film, tmp_path), raster.FRAME_SCALE))
        assert np.abs(images[position] - wanted).mean() < 1  # 64 colours are enough


@pytest.mark.slow
def test_a_gif_keeps_the_colours_that_mean_something(lecture_film):
    images = [image for _, _, image in opened(lecture_film[1])]
    everything = np.concatenate([images[0], images[6], images[-1]])
    for name in ("known", "gradient", "tint", "tint-gradient", "ink", "paper"):
        assert count(everything, LIGHT[name], within=4) > 200, name


@pytest.mark.slow
def test_the_lectures_film_is_small(lecture_film):
    assert lecture_film[1].stat().st_size < 300_000


def test_a_short_run_makes_a_film_too(tmp_path):
    path = bl.step_through(graphs.same_input_twice()).save(tmp_path / "film.gif")
    assert len(list(opened(path))) == 5


@pytest.mark.slow
def test_a_wide_picture_makes_frames_of_at_most_1600_pixels():
    made = picture(graphs.heat_maps())
    animation = Image.open(io.BytesIO(raster.gif([made.still(p) for p in (0, made.line.length - 1)])))
    assert 1590 <= animation.width <= 1600


def test_a_run_of_too_many_steps_makes_no_film():
    with pytest.raises(ValueError, match=r"301 pictures are more than 300.*\.html"):
        raster.gif([bl.draw(graphs.product()).svg] * 301)


@pytest.mark.parametrize("name", ["x.png", "x.gif"])
def test_without_resvg_it_says_what_to_install_and_writes_nothing(tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(ImportError, match="drawn by resvg: pip install resvg-py"):
        bl.step_through(graphs.product()).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_film_of_the_readme_is_the_present_one(lecture_film):
    committed = opened(Path(__file__).parents[2] / "docs" / "lecture.gif")
    for (size, duration, image), (size_now, duration_now, image_now) in zip(
        committed, opened(lecture_film[1]), strict=True
    ):
        assert (size, duration) == (size_now, duration_now), "run: python -m tools.refresh"
        assert np.abs(image - image_now).mean() < 1, "run: python -m tools.refresh"
