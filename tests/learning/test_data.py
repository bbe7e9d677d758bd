"""The toy data sets: reproducible, balanced, where they are said to lie, and possible to learn."""

import subprocess
import sys

import numpy as np
import pytest

import backprop_lab as bl
from backprop_lab.learning import data

PLANE = [data.moons, data.circles, data.spirals, data.blobs]
LABELLED = [*PLANE, data.digits]
ALL = [*LABELLED, data.noisy_polynomial]


def test_the_data_are_reached_through_the_package():
    assert bl.data is data


@pytest.mark.parametrize("make", PLANE)
@pytest.mark.parametrize("n", [1, 2, 7, np.int64(100)])
def test_points_lie_in_the_plane_each_with_an_integer_label(make, n):
    X, y = make(n)
    assert X.shape == (n, 2) and X.dtype == np.float64
    assert y.shape == (n,) and y.dtype.kind == "i"


@pytest.mark.parametrize("make", ALL)
def test_the_same_seed_gives_the_same_bytes(make):
    for first, again in zip(make(30, seed=3), make(30, seed=3)):
        assert first.tobytes() == again.tobytes()


@pytest.mark.parametrize("make", ALL)
def test_another_seed_gives_other_data(make):
    pairs = zip(make(30, seed=3), make(30, seed=4))
    assert any(not np.array_equal(first, other) for first, other in pairs)


@pytest.mark.parametrize("make", ALL)
def test_the_seed_is_0_by_default(make):
    for first, again in zip(make(), make(seed=0)):
        np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("make", ALL)
def test_making_data_leaves_numpys_own_generator_alone(make):
    before = np.random.get_state()[1].tolist()
    make(5)
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize(
    ("make", "classes"),
    [
        (data.moons, 2),
        (data.circles, 2),
        (data.digits, 10),
        *((make, classes) for make in (data.spirals, data.blobs) for classes in (1, 3, 5)),
    ],
)
@pytest.mark.parametrize("n", [50, 53])
def test_classes_differ_in_size_by_one_at_most(make, classes, n):
    chosen = {"classes": classes} if make in (data.spirals, data.blobs) else {}
    sizes = np.bincount(make(n, **chosen)[1])
    assert len(sizes) == classes and sizes.sum() == n
    assert np.ptp(sizes) == (n % classes > 0)


@pytest.mark.parametrize("make", LABELLED)
def test_examples_are_shuffled(make):
    # Sorted labels have no class in both halves; labels that take turns have two differences only.
    y = make(100)[1]
    assert len(set(np.diff(y).tolist())) > 2
    assert set(y[:50]) == set(y[50:]) == set(y)


# ------------------------------------------------------------------------------------------ the curves


def turns(points):
    """How far round from (1, 0) a point is, in turns from 0 to below 1."""
    return np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi) % 1


def test_moons_without_noise_are_two_half_circles():
    X, y = data.moons(101, noise=0)
    up, down = X[y == 0], X[y == 1] - [1, 0.5]
    np.testing.assert_allclose(np.linalg.norm(up, axis=1), 1)
    np.testing.assert_allclose(np.linalg.norm(down, axis=1), 1)
    assert (up[:, 1] > 0).all() and (down[:, 1] < 0).all()


def test_circles_without_noise_have_radius_1_and_a_half():
    X, y = data.circles(101, noise=0)
    np.testing.assert_allclose(np.linalg.norm(X, axis=1), np.where(y == 0, 1, 0.5))


def test_the_points_of_a_circle_are_evenly_spread():
    X, y = data.circles(100, noise=0)
    np.testing.assert_allclose(np.diff(np.sort(turns(X[y == 1]))), 1 / 50)


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_spirals_without_noise_grow_evenly_in_one_turn(classes):
    X, y = data.spirals(101, classes, noise=0)
    t = (np.linalg.norm(X, axis=1) - 0.25) / 1.75
    assert t.min() > 0 and t.max() < 1
    off = turns(X) - t - y / classes
    np.testing.assert_allclose(off, off.round(), atol=1e-12)


def test_blobs_without_spread_are_their_centres():
    X, y = data.blobs(9, 3, spread=0)
    np.testing.assert_allclose(np.linalg.norm(X, axis=1), 2)
    np.testing.assert_allclose((turns(X) * 3).round(9) % 3, y)


@pytest.mark.parametrize(
    ("make", "amount"), [(make, "noise") for make in PLANE[:3]] + [(data.blobs, "spread")]
)
def test_the_noise_has_its_standard_deviation(make, amount):
    clean, noisy = (make(4000, **{amount: given})[0] for given in (0, 0.3))
    np.testing.assert_allclose(np.std(noisy - clean, axis=0), 0.3, rtol=0.05)


# -------------------------------------------------------------------------------------- the polynomial


def test_the_polynomial_is_sampled_evenly_from_minus_1_to_1():
    x, y = data.noisy_polynomial()
    assert x.shape == y.shape == (20,) and x.dtype == y.dtype == np.float64
    np.testing.assert_array_equal(x, np.linspace(-1, 1, 20))


@pytest.mark.parametrize("degree", range(7))
def test_the_polynomial_has_exactly_its_degree(degree):
    x, y = data.noisy_polynomial(40, degree, noise=0)
    found = np.polynomial.Polynomial.fit(x, y, degree, domain=[-1, 1]).coef
    assert abs(found[-1]) > 0.99 and np.abs(y).max() <= 1
    np.testing.assert_allclose(np.polynomial.Polynomial(found)(x), y, atol=1e-12)


def test_the_polynomial_is_the_same_for_every_seed():
    first, other = (data.noisy_polynomial(noise=0, seed=seed)[1] for seed in (1, 2))
    np.testing.assert_array_equal(first, other)


def test_the_noise_of_the_polynomial_has_its_standard_deviation():
    clean, noisy = (data.noisy_polynomial(4000, noise=noise)[1] for noise in (0, 0.3))
    assert np.std(noisy - clean) == pytest.approx(0.3, rel=0.05)


# ------------------------------------------------------------------------------------------ the digits


@pytest.mark.parametrize("n", [1, 13])
def test_digits_are_rows_of_64_grey_pixels(n):
    images, labels = data.digits(n)
    assert images.shape == (n, 64) and images.dtype == np.float64
    assert labels.shape == (n,) and labels.dtype.kind == "i"
    assert 0 <= images.min() <= images.max() <= 1


def test_a_digit_is_dark_in_the_middle_of_light_paper():
    images = data.digits(500)[0].reshape(-1, 8, 8)
    assert images.max(axis=(1, 2)).min() > 0.8
    border = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
    assert border.mean() < 0.15 < 0.35 < images[:, 2:6, 2:6].mean()


def test_digits_are_centred():
    mean = data.digits(500)[0].reshape(-1, 8, 8).mean(axis=0)
    row, column = (np.arange(8) @ mean.sum(axis=axis) / mean.sum() for axis in (1, 0))
    assert row == pytest.approx(3.5, abs=0.25) and column == pytest.approx(3.5, abs=0.25)


def test_no_two_images_of_a_digit_are_the_same():
    images, labels = data.digits(300)
    for digit in range(10):
        drawn = images[labels == digit]
        distances = np.linalg.norm(drawn[:, None] - drawn, axis=-1)
        assert distances[np.triu_indices(30, 1)].min() > 0.4


def test_a_softmax_regression_learns_the_digits():
    images, labels = data.digits(1000)
    W, b = np.zeros((64, 10)), np.zeros(10)
    for _ in range(200):
        p = np.exp(images @ W + b)
        error = (p / p.sum(axis=1, keepdims=True) - np.eye(10)[labels]) / len(labels)
        W -= images.T @ error
        b -= error.sum(axis=0)
    unseen, wanted = data.digits(1000, seed=1)
    assert np.mean(np.argmax(unseen @ W + b, axis=1) == wanted) > 0.95


def test_digits_are_drawn_in_the_fonts_that_are_asked_for_and_in_six_clear_ones_by_default():
    images, labels = data.digits(30, fonts=data.FONTS[:6])
    np.testing.assert_array_equal(images, data.digits(30)[0])
    plain, seriffed = (data.digits(300, fonts=[font])[0].mean(axis=0) for font in ("cmss10", "cmr10"))
    assert np.linalg.norm(plain - seriffed) > 0.3
    np.testing.assert_array_equal(labels, data.digits(30, fonts=["cmr10"])[1])


@pytest.mark.parametrize("font", data.FONTS)
def test_a_font_has_ten_digits_that_are_told_apart(font):
    images, labels = data.digits(400, fonts=[font])
    middles = np.array([images[labels == digit].mean(axis=0) for digit in range(10)])
    unseen, wanted = data.digits(200, seed=1, fonts=[font])
    nearest = np.linalg.norm(unseen[:, None] - middles, axis=-1).argmin(axis=1)
    assert np.mean(nearest == wanted) > 0.9


@pytest.mark.parametrize("fonts", [["Comic Sans"], [], "cmr10", ("cmr10", "arial")])
def test_fonts_that_are_not_there_are_refused(fonts):
    with pytest.raises(ValueError, match=r"digits: fonts are some of DejaVuSans, .*cmtt10, not"):
        data.digits(10, fonts=fonts)


@pytest.mark.slow
def test_importing_the_data_loads_no_matplotlib():
    code = (
        "import sys; from backprop_lab.learning import data\n"
        "data.moons(); assert 'matplotlib' not in sys.modules\n"
        "data.digits(10); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --------------------------------------------------------------------------------------- bad arguments


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize(
    ("n", "error"), [(0, ValueError), (-3, ValueError), (2.0, TypeError), ("9", TypeError), (True, TypeError)]
)
def test_n_that_is_no_whole_number_from_1_is_refused(make, n, error):
    with pytest.raises(error, match=f"^{make.__name__}: n is a whole number from 1, not {n!r}$"):
        make(n)


@pytest.mark.parametrize("make", [data.spirals, data.blobs])
@pytest.mark.parametrize(("classes", "error"), [(0, ValueError), (2.5, TypeError), (None, TypeError)])
def test_classes_that_are_no_whole_number_from_1_are_refused(make, classes, error):
    with pytest.raises(error, match=f"{make.__name__}: classes is a whole number from 1, not {classes}"):
        make(classes=classes)


@pytest.mark.parametrize(("degree", "error"), [(-1, ValueError), (2.0, TypeError)])
def test_a_degree_that_is_no_whole_number_from_0_is_refused(degree, error):
    with pytest.raises(error, match=f"noisy_polynomial: degree is a whole number from 0, not {degree}"):
        data.noisy_polynomial(degree=degree)


@pytest.mark.parametrize("make", [make for make in ALL if make is not data.digits])
@pytest.mark.parametrize(
    ("amount", "error"),
    [(-0.1, ValueError), (np.nan, ValueError), (np.inf, ValueError), (None, TypeError), ([0.1], TypeError)],
)
def test_noise_that_is_no_number_from_0_is_refused(make, amount, error):
    name = "spread" if make is data.blobs else "noise"
    with pytest.raises(error, match=f"^{make.__name__}: {name} is a finite number from 0, not "):
        make(**{name: amount})
