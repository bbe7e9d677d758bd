"""Every operation with every type and extent of operands: all ways give what NumPy gives, or all refuse.

Integers, flags, other precisions and byte orders; single numbers, no numbers, axes of length 1.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from rule_cases import CASES, nodes
from ways import agree_in_every_way

import backprop_lab as bl

WHOLE = ["i1", "i2", "i8", "u1", ">u4", "u8", "?"]
PRECISION = {"f2": 2e-2, "f4": 1e-4, "f8": 1e-9}


@cache
def one_for_each_rule():
    """{name: case}: the first call of each operation, and of each number of nodes that it reads."""
    first = {}
    for name, (function, *arrays) in CASES.items():
        z = function(*nodes(arrays))
        first.setdefault((z.rule, len(z.inputs)), name)
    return list(first.values())


def typed(array, kind):
    """The numbers of a case in another type: for integers larger ones, near the end of bytes as well."""
    kind = np.dtype(kind)
    if kind.kind == "f":
        return np.asarray(array, kind)
    if kind.kind == "b":
        return array > 0
    whole = np.round(3 * array)
    if kind.kind == "u":
        whole = np.where(whole < 0, 200 - whole, -whole + 250)
    return np.where(whole == 0, 127, whole).astype(kind)


def entries(z, precision, name):
    """A cost whose gradient by a variable of its own has the entries of z."""
    return np.sum(z * bl.variable(name, np.linspace(0.5, 1, z.size, dtype=precision).reshape(z.shape)))


def leaves(arrays, kinds, group):
    """A variable for each array of floats, a constant for the others."""
    made = []
    for i, (array, kind) in enumerate(zip(arrays, kinds, strict=True)):
        array = typed(np.asarray(array, float), kind)
        make = bl.variable if array.dtype.kind == "f" else bl.constant
        made.append(make(f"x{group}_{i}", array))
    return made


def cost(function, arrays, choices, precision):
    """The sum of :func:`entries` of a function of these arrays, for each choice of their types."""
    costs = []
    for i, kinds in enumerate(choices):
        z = function(*leaves(arrays, kinds, i))
        right = function(*(typed(np.asarray(a, float), k).astype(float) for a, k in zip(arrays, kinds)))
        with np.errstate(all="ignore"):
            close = {"rtol": PRECISION[precision], "atol": PRECISION[precision]}
            right = np.asarray(right).astype(z.dtype)  # where it overflows, too
            np.testing.assert_allclose(bl.forward(z, on_nonfinite="ignore"), right, **close)
        costs.append(entries(z, precision, f"v{i}"))
    return sum(costs[1:], costs[0])


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
@pytest.mark.parametrize("name", one_for_each_rule())
def test_whole_numbers_and_flags_are_calculated_with_as_the_numbers_they_are(name):
    function, *arrays = CASES[name]
    alone = [(kind,) * len(arrays) for kind in WHOLE]
    J = cost(function, arrays, alone, "f8")
    agree_in_every_way(J, PRECISION["f8"])


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
@pytest.mark.parametrize("precision", ["f4", "f2"])
@pytest.mark.parametrize("name", one_for_each_rule())
def test_a_network_in_any_precision_reads_whole_numbers_in_its_own(name, precision):
    function, *arrays = CASES[name]
    whole = "i1" if precision == "f2" else "u1"
    choices = [(precision,) * len(arrays)]
    if len(arrays) > 1:
        choices += [(whole, *choices[0][1:]), (*choices[0][1:], whole)]
    J = cost(function, arrays, choices, precision)
    agree_in_every_way(J, PRECISION[precision])


def extents(arrays):
    """The arrays of a case cut to single numbers, no numbers, axes of length 1; then with one axis more."""
    yield [array.flat[0] for array in arrays]
    yield [array[None] for array in arrays]
    yield [*arrays[:-1], np.asarray(arrays[-1].flat[0])]
    if all(array.ndim for array in arrays):
        yield from ([array[..., :n] for array in arrays] for n in (0, 1))
        yield from ([array[:n] for array in arrays] for n in (0, 1))


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
@pytest.mark.parametrize("name", [name for name in one_for_each_rule() if name not in ("scatter", "sum_to")])
def test_an_extent_gives_numpys_result_in_every_way_or_is_refused_at_once(name):
    function, *arrays = CASES[name]
    costs = []
    for i, cut in enumerate(extents([np.asarray(array, float) for array in arrays])):
        try:
            right = np.asarray(function(*cut), float)
        except (ValueError, TypeError, IndexError):
            right = None
        try:
            z = function(*(bl.variable(f"x{k}_{i}", a) for k, a in enumerate(cut)))
            value = bl.forward(z, on_nonfinite="ignore")
        except (bl.ShapeError, TypeError):  # some refusals are ours alone
            continue
        except ValueError as error:
            assert right is None and "label" in str(error)  # numbers decide this, not the extent
            continue
        np.testing.assert_allclose(value, right, rtol=1e-12)
        costs.append(entries(z, "f8", f"v{i}"))
    agree_in_every_way(sum(costs, bl.variable("w", 2.0) ** 2))


@pytest.mark.parametrize(
    ("function", "right"),
    [
        (lambda w, u: bl.l2(u, w), 40014),
        (lambda w, u: bl.l2(w > 1, w), 6),
        (lambda w, u: np.vdot(u, u) + np.sum(w), 40012),
        (lambda w, u: np.sum((bl.stop_gradient(u) + 100) * w), 506),
        (lambda w, u: np.sum(u**w), 209),
        (lambda w, u: np.sum(w ** np.int8(-128)), 1),
        (lambda w, u: np.sum(w * np.uint8(200) * np.uint8(200)), 120_000),
        (lambda w, u: np.sum(w * (u * u)), 40018),
        (lambda w, u: np.sum(w * np.log(u)), np.log(200) + 2 * np.log(3)),
        (lambda w, u: np.sum(w * -u), -206),
        (lambda w, u: bl.cross_entropy(u, w / 3), 197 * 2 / 3),
        (lambda w, u: bl.squared_error(w * (u > 3), u), (199**2 + 9) / 2),
        (lambda w, u: np.sum(np.stack([w, u, np.full(2, 255, np.uint8)])), 716),
    ],
)
def test_bytes_and_flags_do_not_wrap_round(function, right):
    w = bl.variable("w", [1.0, 2.0])
    for name in ("u", None):
        u = bl.constant(name, np.array([200, 3], np.uint8))
        value, _ = agree_in_every_way(function(w, u))
        np.testing.assert_allclose(value, right, rtol=1e-12)
