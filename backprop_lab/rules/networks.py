"""The functions of networks that NumPy has no name for: activations, softmax and its relatives, costs.

Above each stands its derivative: z is the value, x the argument, g = ∂J/∂z. They are computed so that no
exponential overflows. Formulas: Goodfellow, Bengio & Courville, Deep Learning (2016), sections 4.1, 6.2, 6.3
and 6.5.

What must hold: arrays in, array out; a node in, one node out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from backprop_lab.graph.operation import operation
from backprop_lab.rules.declaring import declare, of_arrays_and_nodes, rule_of
from backprop_lab.rules.primitives import converted
from backprop_lab.rules.reductions import spread
from backprop_lab.rules.shapes import broadcast_shape, extreme_shape
from backprop_lab.words.errors import NotAnArrayError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_lab.graph.operation import Operation
    from backprop_lab.rules.declaring import ArrayOrNode


@declare("elementwise", broadcast_shape, lambda z, x: x > 0)
def relu(x: ArrayOrNode) -> ArrayOrNode:
    """The rectifier: x where x > 0, else 0. Its derivative at 0 is taken as 0.

    Any shape, same shape out.

    >>> import backprop_lab as bl
    >>> bl.relu([-8.0, 7.0])
    array([0., 7.])
    """
    return np.maximum(x, 0)


@declare("elementwise", broadcast_shape, lambda z, x: z * (1 - z))
def sigmoid(x: ArrayOrNode) -> ArrayOrNode:
    """The logistic function 1 / (1 + e⁻ˣ), computed so that no exponential overflows.

    Any shape, same shape out.

    >>> import backprop_lab as bl
    >>> bl.sigmoid([0.0, -1000.0])
    array([0.5, 0. ])
    """
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


@declare(
    "elementwise",
    lambda x, slope=0.01: x,
    lambda z, x, slope: np.where(x > 0, 1, slope),
    parameters={"slope": 0.01},
)
def leaky_relu(x: ArrayOrNode, slope: float = 0.01) -> ArrayOrNode:
    """x where x > 0, else ``slope`` · x: a gate that never closes. Any shape, same shape out.

    >>> import backprop_lab as bl
    >>> bl.leaky_relu([-8.0, 7.0], slope=0.1)
    array([-0.8,  7. ])
    """
    return np.where(x > 0, x, slope * x)


@declare("elementwise", broadcast_shape, lambda z, x: sigmoid(x))
def softplus(x: ArrayOrNode) -> ArrayOrNode:
    """log(1 + eˣ), a smooth relu whose derivative is the sigmoid. Any shape, same shape out.

    >>> import backprop_lab as bl
    >>> bl.softplus([0.0, 1000.0]).round(4)
    array([6.931e-01, 1.000e+03])
    """
    return np.logaddexp(x, 0)


# ------------------------------------------------------------------------------- softmax and its relatives
#
# An entry of −∞ has the probability 0, one of +∞ all of it (several share it). A row of −∞ alone has no
# probabilities: they are NaN, while logsumexp, as NumPy's logaddexp, is −∞ there.


def _same_shape(x, axis=-1):
    extreme_shape(x, axis)
    return x


def _less_the_largest(x, axis):
    """x less its largest entry along ``axis``, so that no exponential overflows; ∞ becomes 0."""
    return np.where(x == np.inf, 0, x - x.max(axis=axis, keepdims=True))


@declare(
    "custom",
    _same_shape,
    lambda g, z, x, axis: z * (g - np.sum(g * z, axis=axis, keepdims=True)),
    parameters={"axis": -1},
)
def softmax(x: ArrayOrNode, axis: int = -1) -> ArrayOrNode:
    """Positive numbers that sum to 1 along ``axis``, in the ratio of eˣ. Same shape out.

    >>> import backprop_lab as bl
    >>> bl.softmax([1.0, 2.0, 0.0]).round(3)
    array([0.245, 0.665, 0.09 ])
    """
    powers = np.exp(_less_the_largest(x, axis))
    return powers / powers.sum(axis=axis, keepdims=True)


@declare(
    "custom",
    _same_shape,
    lambda g, z, x, axis: g - np.exp(z) * np.sum(g, axis=axis, keepdims=True),
    parameters={"axis": -1},
)
def log_softmax(x: ArrayOrNode, axis: int = -1) -> ArrayOrNode:
    """The logarithm of the softmax, accurate also where the softmax is nearly 0. Same shape out.

    >>> import backprop_lab as bl
    >>> bl.log_softmax([0.0, -1000.0])
    array([    0., -1000.])
    """
    shifted = _less_the_largest(x, axis)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


@declare(
    "custom",
    lambda x, axis=-1, keepdims=False: extreme_shape(x, axis, keepdims),
    lambda g, z, x, axis, keepdims: spread(g, x, axis, keepdims) * softmax(x, axis=axis),
    parameters={"axis": -1, "keepdims": False},
)
def logsumexp(x: ArrayOrNode, axis: int = -1, keepdims: bool = False) -> ArrayOrNode:
    """log Σ eˣ along ``axis``: a smooth maximum. The axis goes, or stays with length 1.

    >>> import backprop_lab as bl
    >>> round(float(bl.logsumexp([1000.0, 1000.0])), 4)
    1000.6931
    """
    largest = np.max(x, axis=axis, keepdims=True)
    total = np.log(np.sum(np.exp(_less_the_largest(x, axis)), axis=axis, keepdims=True)) + largest
    total = np.where(largest == -np.inf, largest, total)
    return total if keepdims else np.squeeze(total, axis=axis)


# ----------------------------------------------------------------------------------------------- costs


def _one_hot_shape(labels, logits):
    if labels not in (logits, logits[:-1]) or not logits:
        raise ShapeError(f"labels of shape {labels} fit logits of shape {labels} or (…, classes)")
    extreme_shape(logits, -1)
    return logits


def one_hot(labels, logits):
    """Class labels as rows that are 1 at the label, else 0, in the logits' shape; rows are kept."""
    _one_hot_shape(np.shape(labels), np.shape(logits))
    dtype = np.result_type(logits, np.float16)
    if np.shape(labels) == np.shape(logits):
        return labels if np.result_type(labels) == dtype else converted(labels, dtype=dtype)
    return rows_of(labels, classes=np.shape(logits)[-1], dtype=dtype)


@declare(
    "custom", lambda labels, classes, dtype: (*labels, classes), None,
    parameters={"classes": None, "dtype": None}, gives="the same")  # fmt: skip
def rows_of(labels, classes, dtype):
    """Class labels as rows that are 1 at the label, else 0."""
    return (checked_labels(labels, classes)[..., None] == np.arange(classes)).astype(dtype)


def checked_labels(labels, classes):
    """The labels as they are, if all of these classes exist."""
    if labels.size and not 0 <= np.minimum.reduce(labels, None) <= np.maximum.reduce(labels, None) < classes:
        worst = labels.max() if labels.max() >= classes else labels.min()
        raise ValueError(
            f"cross_entropy: label {int(worst)} does not exist among {classes} classes, 0 to {classes - 1}"
        )
    return labels


def p_minus_y(logits, labels):
    """softmax(logits) − labels for each example; the softmax is weighted by the sum of a row of labels."""
    y, p = one_hot(labels, logits), softmax(logits)
    if np.shape(labels) == np.shape(logits):
        p = p * np.sum(y, axis=-1, keepdims=True)
    return p - y


def _examples(logits) -> int:
    """How many examples are in the batch."""
    return max(np.size(logits) // np.shape(logits)[-1], 1)


@of_arrays_and_nodes
def cross_entropy(logits: ArrayOrNode, labels: ArrayOrNode) -> ArrayOrNode:
    """The mean over a batch of −log p(label), where p is the softmax of the logits: a single number.

    ``logits`` have the classes on their last axis. ``labels`` are class numbers, one for each example, or
    rows of probabilities in the logits' shape. Its gradient with respect to the logits is p − y, with respect
    to such probabilities −log p, both over the number of examples. In a graph, rows that are constants take
    the precision of the logits. Raises ShapeError where the shapes do not fit, TypeError for labels that are
    not integers, ValueError for a class that does not exist.

    >>> import backprop_lab as bl
    >>> z = bl.variable("z", [1.0, 2.0, 0.0])
    >>> bl.backward(bl.cross_entropy(z, 2))[z].round(3)
    array([ 0.245,  0.665, -0.91 ])
    """
    given = labels if hasattr(labels, "dtype") else np.asarray(labels)
    if np.ndim(labels) < np.ndim(logits) and given.dtype.kind not in "iu":
        raise NotAnArrayError(
            "cross_entropy: class labels are integers, one for each example; probabilities have the "
            f"shape of the logits, {np.shape(logits)}"
        )
    return (_of_classes if np.ndim(labels) < np.ndim(logits) else _of_probabilities)(logits, labels)


def _cross_entropy(by_labels: Callable | None) -> Operation:
    """The operation; ``by_labels``: its derivative with respect to the labels, None for class numbers."""

    def compute(logits, labels):
        y = one_hot(labels, logits)
        return -(y * np.where(y == 0, 0, log_softmax(logits))).sum() / _examples(logits)  # 0 · log 0 is 0

    return operation(rule_of(
        compute, "custom", lambda logits, labels: _one_hot_shape(labels, logits) and (),
        lambda g, z, logits, labels: g * p_minus_y(logits, labels) / _examples(logits), by_labels,
        name="cross_entropy", home="bl", function=cross_entropy, gives="a cost"))  # fmt: skip


_of_classes = _cross_entropy(None)
_of_probabilities = _cross_entropy(lambda g, z, logits, labels: -g * log_softmax(logits) / _examples(logits))


@declare(
    "custom",
    lambda x, y: broadcast_shape(x, y) and (),
    lambda g, z, x, y: g * 2 * (x - y) / np.size(x - y),
    lambda g, z, x, y: g * 2 * (y - x) / np.size(x - y),
    gives="a cost",
)
def squared_error(y_hat: ArrayOrNode, y: ArrayOrNode) -> ArrayOrNode:
    """The mean of the squared differences: a single number. Shapes that broadcast.

    In a graph, targets that are constants take the precision of the network.

    >>> import backprop_lab as bl
    >>> float(bl.squared_error([3.0, 5.0, 9.0], [2.0, 4.0, 6.0]))
    3.6666666666666665
    """
    return np.mean((y_hat - y) ** 2)


@lru_cache
def _penalty(count: int) -> Operation:
    """The operation that sums the squares of ``count`` arrays."""
    backs = (lambda g, z, *arrays, place=place: g * 2 * arrays[place] for place in range(count))
    return operation(rule_of(
        lambda *arrays: sum(np.vdot(x, x) for x in arrays), "custom", lambda *shapes: (), *backs,
        name="l2", home="bl", function=l2, gives="a cost"))  # fmt: skip


@of_arrays_and_nodes
def l2(*parameters: ArrayOrNode) -> ArrayOrNode:
    """The L2 penalty: the sum of the squares of all entries of all ``parameters``, without a factor.

    >>> import backprop_lab as bl
    >>> float(bl.l2([5.0, 2.0], [[1.0]]))
    30.0
    """
    if not parameters:
        raise TypeError("l2: give the parameters to be penalised, such as bl.l2(W1, W2)")
    return _penalty(len(parameters))(*parameters)


@declare("linear", lambda x: x, None)
def stop_gradient(x: ArrayOrNode) -> ArrayOrNode:
    """x itself on the way forward; nothing flows back through it. PyTorch calls it detach.

    >>> import backprop_lab as bl
    >>> w = bl.variable("w", 3.0)
    >>> bl.backward(w * bl.stop_gradient(w))[w]
    array(3.)
    """
    return x + 0
