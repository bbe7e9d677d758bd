"""Graphs for tests and measurements: the lecture's network, and others that strain a picture."""

from __future__ import annotations

import numpy as np

import backprop_lab as bl

HOSTILE = [
    '<img src=x onerror="window.hacked=true">',
    "</script><script>window.hacked=true</script>",
    "θ₁ & «ŷ» 'quoted' \"twice\"",
    "😀 emoji",
    "n" * 200,
]


def lecture(penalty: bool = False) -> bl.Node:
    """The lecture's network, with λ = 2 on w if asked; numbers in the storyboard."""
    x, y = bl.constant("x", [2, -3, 4]), bl.constant("y", 17)
    theta, w = bl.variable("theta", [1, 2, -1, -1, 1, 3]), bl.variable("w", [5, 2])
    W = np.reshape(theta, (2, 3))
    a = W @ x
    h = bl.relu(a)
    y_hat = w @ h
    if penalty:
        J_tilde = (y_hat - y) ** 2 + 2 * np.sum(w**2)
        return J_tilde
    J = (y_hat - y) ** 2
    return J


def product() -> bl.Node:
    x, y = bl.variable("x", 3.0), bl.variable("y", -4.0)
    z = x * y
    return z


def same_input_twice() -> bl.Node:
    x = bl.variable("x", 3.0)
    J = x * x
    return J


def order() -> bl.Node:
    """u = x², v = u + 3, J = u · v at x = 3."""
    x = bl.variable("x", 3.0)
    u = x**2
    v = u + 3
    J = u * v
    return J


def two_ways() -> bl.Node:
    """z = y₁ · y₂ at (3, 2): two paths lead from each input to z."""
    x1, x2 = bl.variable("x1", 3.0), bl.variable("x2", 2.0)
    y1 = x1 + x2
    y2 = x1 * x2
    z = y1 * y2
    return z


def diamond() -> bl.Node:
    x = bl.variable("x", 0.5)
    left, right = np.sin(x), np.cos(x)
    J = left * right + np.exp(left)
    return J


def fork_ladder(rungs: int = 5) -> bl.Node:
    x = bl.variable("x", 1.0)
    for _ in range(rungs):
        x = x + np.tanh(x)
    return x


def chain(length: int = 9) -> bl.Node:
    x = bl.variable("x", 0.5)
    for _ in range(length):
        x = bl.sigmoid(x)
    return x


def wide_sum(terms: int = 8) -> bl.Node:
    total = bl.variable("x0", 1.0) * 2
    for i in range(1, terms):
        total = total + bl.variable(f"x{i}", float(i)) * (i + 2)
    return total


def regression() -> bl.Node:
    X, y = bl.constant("X", [1, 2, 3]), bl.constant("y", [2, 4, 6])
    w, b = bl.variable("w", 2.0), bl.variable("b", 1.0)
    J = np.mean((w * X + b - y) ** 2)
    return J


def heat_maps() -> bl.Node:
    """A network with a batch, two layers, a penalty on both: large arrays, long arrows, forks."""
    random = np.random.default_rng(0)
    X = bl.constant("X", random.normal(size=(8, 5)))
    W1, b1 = bl.variable("W1", random.normal(size=(5, 7))), bl.variable("b1", np.zeros(7))
    W2 = bl.variable("W2", random.normal(size=(7, 3)))
    H = np.tanh(X @ W1 + b1)
    J = np.mean((H @ W2) ** 2) + 0.01 * np.sum(W1**2) + 0.01 * np.sum(W2**2)
    return J


def hostile_names() -> bl.Node:
    total = bl.variable(HOSTILE[0], 1.0)
    for i, name in enumerate(HOSTILE[1:]):
        total = total * 2 + bl.variable(name, float(i))
    return total


def names() -> bl.Node:
    """Leaves whose names are words, in several scripts, and one that is far too long."""
    price, rate = bl.variable("price_per_square_metre", 3.5), bl.constant("exchange_rate_of_the_day", 1.08)
    living_area = bl.constant("living_area_including_half_of_the_balcony", 72.5)
    estimated_rent = price * rate * living_area
    weight, bias = bl.variable("权重", 0.5), bl.variable("偏置", -1.0)
    total = (weight * estimated_rent + bias) * bl.variable("ε_µ", 2.0) - bl.constant("🎯", 12.0)
    squared_distance_from_the_target = total**2
    return squared_distance_from_the_target


def classifier() -> bl.Node:
    """A batch through two layers, cross-entropy, and a penalty on both weights."""
    random = np.random.default_rng(1)
    X, labels = (
        bl.constant("X", random.normal(size=(32, 2))),
        bl.constant("labels", random.integers(0, 3, 32)),
    )
    W1, b1 = bl.variable("W1", random.normal(size=(2, 16))), bl.variable("b1", np.zeros(16))
    W2, b2 = bl.variable("W2", random.normal(size=(16, 3))), bl.variable("b2", np.zeros(3))
    H = bl.relu(X @ W1 + b1)
    logits = H @ W2 + b2
    J = bl.cross_entropy(logits, labels) + 0.01 * bl.l2(W1, W2)
    return J


def network_of_neurons(widths=(3, 4, 4, 1)) -> bl.Node:
    """Neuron by neuron, every weight a node of its own."""
    layer = [bl.constant(f"x{i}", 0.5 * i - 0.5) for i in range(1, widths[0] + 1)]
    weight = 0.1
    for k, width in enumerate(widths[1:], 1):
        following = []
        for j in range(1, width + 1):
            total = bl.variable(f"b{k}{j}", 0.0)
            for i, x in enumerate(layer, 1):
                weight = -0.9 * weight + 0.05
                total = total + bl.variable(f"w{k}{j}{i}", weight) * x
            following.append(np.tanh(total).named(f"h{k}{j}"))
        layer = following
    J = (layer[0] - 1) ** 2
    return J


def deep_network(depth: int = 40) -> bl.Node:
    """Layer upon layer, each of five nodes."""
    random = np.random.default_rng(2)
    h = bl.constant("x", random.normal(size=3))
    for k in range(1, depth + 1):
        W = bl.variable(f"W{k}", random.normal(size=(3, 3)))
        h = np.tanh(W @ h + bl.variable(f"b{k}", np.zeros(3))).named(f"h{k}")
    J = np.sum(h**2)
    return J


def indices() -> bl.Node:
    """Parts of arrays, taken out and put together again."""
    theta, x = bl.variable("theta", np.arange(9.0) - 4), bl.constant("x", [2.0, -1.0])
    W, b = theta[:6].reshape(3, 2), theta[6:]
    a = W @ x + b
    ends = np.concatenate([a[:1], a[::-1], x])
    picked = ends[np.array([0, 0, 3, 5])]
    J = np.sum(np.stack([picked, picked**2])[:, 1:])
    return J


def sliding_sums() -> bl.Node:
    """A convolution: one kernel over three windows."""
    signal = bl.constant("signal", [1.0, 3.0, -2.0, 0.5, 4.0])
    kernel = bl.variable("kernel", [0.25, 0.5, 0.25])
    windows = [signal[i : i + 3] for i in range(3)]
    smooth = np.stack([kernel @ window for window in windows])
    J = np.max(bl.relu(smooth))
    return J


def recurrent(steps: int = 5) -> bl.Node:
    """A recurrent network, unrolled: the same three parameters at every step."""
    random = np.random.default_rng(3)
    W, U, b = (
        bl.variable("W", [[0.5, -0.2], [0.1, 0.8]]),
        bl.variable("U", [0.3, -0.6]),
        bl.variable("b", [0, 0]),
    )
    h = bl.constant("h0", [0.0, 0.0])
    for t in range(1, steps + 1):
        x = bl.constant(f"x{t}", round(random.normal(), 2))
        h = np.tanh(W @ h + U * x + b).named(f"h{t}")
    J = np.sum((h - bl.constant("y", [1.0, -1.0])) ** 2)
    return J


def attention() -> bl.Node:
    random = np.random.default_rng(4)
    X = bl.constant("X", random.normal(size=(4, 3)).round(1))
    W_q, W_k, W_v = (bl.variable(f"W_{k}", random.normal(size=(3, 2)).round(1)) for k in "qkv")
    Q, K, V = X @ W_q, X @ W_k, X @ W_v
    A = bl.softmax(Q @ K.T / np.sqrt(2))
    Y = A @ V
    J = np.mean(Y**2)
    return J


def layer_norm() -> bl.Node:
    x = bl.variable("x", [[1.0, 2.0, 3.0, 6.0], [-1.0, 0.0, 0.0, 1.0]])
    gain, shift = bl.variable("gain", np.ones(4)), bl.variable("shift", np.zeros(4))
    centred = x - np.mean(x, axis=1, keepdims=True)
    scale = np.sqrt(np.mean(centred**2, axis=1, keepdims=True) + 1e-5)
    y = gain * centred / scale + shift
    J = np.sum(y**3)
    return J


def residual(blocks: int = 4) -> bl.Node:
    random = np.random.default_rng(5)
    h = bl.constant("x", [1.0, -1.0])
    for k in range(1, blocks + 1):
        W, V = (bl.variable(f"{n}{k}", random.normal(size=(2, 2)).round(2)) for n in "WV")
        h = (h + V @ bl.relu(W @ h)).named(f"h{k}")
    J = np.sum(h**2)
    return J


def skips() -> bl.Node:
    """The input and every layer lead straight to the cost."""
    x = bl.constant("x", 0.5)
    h, total = x, x * 1
    for k in range(1, 6):
        h = np.tanh(bl.variable(f"w{k}", 0.3 * k) * h).named(f"h{k}")
        total = total + h * x
    J = total**2
    return J


def batch_of_one() -> bl.Node:
    X, y = bl.constant("X", [[1.0, -2.0, 0.5]]), bl.constant("y", [[1.0]])
    W, b = bl.variable("W", [[0.1], [0.2], [-0.3]]), bl.variable("b", [0.5])
    y_hat = bl.sigmoid(X @ W + b)
    J = bl.squared_error(y_hat, y)
    return J


def not_finite() -> bl.Node:
    """An infinity, a NaN, and both in one array."""
    x, w = bl.constant("x", [0.0, 1.0, -1.0]), bl.variable("w", [[2.0, 0.0, 0.0], [0.0, np.inf, 1.0]])
    r = 1 / x
    a = w * r
    J = np.sum(np.log(a))
    return J


def far_apart_numbers() -> bl.Node:
    """Very large and very small numbers side by side."""
    x, w = bl.constant("x", [6.02214076e23, 1.602e-19]), bl.variable("w", [-1.38e-23, 2.99792458e8])
    p = w * x
    J = np.sum(p) * 1e-300 + np.exp(-300 * bl.variable("t", 2.0))
    return J


def partly_constant() -> bl.Node:
    """One side of the product wants no gradient, however much is computed in it."""
    x, c = bl.variable("x", 2.0), bl.constant("c", 3.0)
    scale = np.exp(-(c**2) / 18)
    frozen_x = bl.stop_gradient(x)
    J = scale * x + frozen_x * c
    return J


def two_costs() -> bl.Node:
    """Two costs from one trunk, added up."""
    x, t = bl.constant("x", [1.0, 2.0]), bl.constant("t", 1.0)
    W, u, v = (
        bl.variable("W", [[0.5, -0.5], [0.25, 1.0]]),
        bl.variable("u", [1, -1]),
        bl.variable("v", [0.5, 2]),
    )
    trunk = np.tanh(W @ x)
    rating, class_score = u @ trunk, v @ trunk
    J_rating = (rating - t) ** 2
    J_class = bl.softplus(-class_score)
    J = J_rating + 0.5 * J_class
    return J


def broadcasting() -> bl.Node:
    row, column = bl.variable("row", [[1.0, 2.0, 3.0]]), bl.variable("column", [[10.0], [20.0]])
    offset = bl.variable("offset", 0.5)
    table = row + column - offset
    J = np.mean(table * row)
    return J


def function_of_a_leaf() -> bl.Node:
    J = bl.variable("x", 3.0) ** 2
    return J


def only_a_leaf() -> bl.Node:
    return bl.variable("J", 3.0)


def tied_parameters(count: int = 6) -> bl.Node:
    """Every parameter is used twice: on the way in and on the way out."""
    x = bl.constant("x", 1.5)
    weights = [bl.variable(f"w{i}", 0.7 - 0.1 * i) for i in range(1, count + 1)]
    code = [bl.relu(w * x) for w in weights]
    x_hat = sum(w * c for w, c in zip(weights, code, strict=True))
    J = (x_hat - x) ** 2
    return J


def float32() -> bl.Node:
    x = bl.constant("x", np.array([0.1, 0.2, 0.3], np.float32))
    w = bl.variable("w", np.array([[1 / 3, 2 / 3, 1.0]] * 2, np.float32))
    z = w @ x
    J = bl.logsumexp(z)
    return J


def gates() -> bl.Node:
    """Conditions and counts: arrays of booleans and of integers, small and large."""
    x, threshold = bl.variable("x", np.linspace(-3, 3, 12)), bl.constant("threshold", 1)
    keep = bl.constant("keep", np.arange(12) % 3 > 0)
    large = x > threshold
    clipped = np.where(large, np.log(np.abs(x)), 0.1 * x)
    J = np.sum(np.where(keep, clipped, 0) * bl.constant("counts", np.arange(12)))
    return J


def stacks() -> bl.Node:
    """Three axes, a row, a column, long vectors, nothing at all."""
    T = bl.variable("T", np.arange(12.0).reshape(3, 2, 2))
    v, long = bl.variable("v", np.linspace(-1, 1, 9)), bl.variable("long", np.sin(np.arange(400.0)))
    images = bl.constant("images", np.random.default_rng(6).normal(size=(10, 28, 28)))
    nothing = bl.variable("nothing", np.zeros((0, 3)))
    J = np.sum(T @ T) + np.sum(v) * np.mean(long) + np.mean(images) * np.sum(T) + np.sum(nothing)
    return J


def crossing(size: int = 24) -> bl.Node:
    """No order of its own: every node reads two earlier ones."""
    random = np.random.default_rng(7)
    nodes = [bl.variable(f"p{i}", 0.1 * i) for i in range(1, 6)]
    while len(nodes) < size:
        i, j = random.choice(len(nodes), 2, replace=False)
        nodes.append(np.sin(nodes[i]) * nodes[j] if len(nodes) % 3 else nodes[i] + nodes[j])
    used = {id(i) for n in nodes for i in n.inputs}
    J = sum(n for n in nodes if id(n) not in used and n.rule is not None)
    return J


def memory_cell() -> bl.Node:
    """One step of an LSTM."""
    random = np.random.default_rng(8)
    x, h_before, c_before = (bl.constant(n, random.normal(size=2).round(1)) for n in ("x", "h0", "c0"))
    inputs = np.concatenate([x, h_before])
    gates = {}
    for n in "fiog":
        W, b = bl.variable(f"W_{n}", random.normal(size=(2, 4)).round(1)), bl.variable(f"b_{n}", [0.0, 0.0])
        a = W @ inputs + b
        gates[n] = (np.tanh(a) if n == "g" else bl.sigmoid(a)).named(n)
    c = gates["f"] * c_before + gates["i"] * gates["g"]
    h = gates["o"] * np.tanh(c)
    J = np.sum(h**2)
    return J


def one_long_expression() -> bl.Node:
    """Nothing has a name but the leaves."""
    x = bl.variable("x", 0.5)
    y = bl.variable("y", -2.0)
    return np.log(1 + np.exp(-(x**2 + y**2) / (1 + np.abs(x * y)))) / (np.sqrt(x + 3) - np.cos(y) * np.sin(x))


ALL = {
    "lecture": lecture,
    "lecture with penalty": lambda: lecture(penalty=True),
    "product": product,
    "same input twice": same_input_twice,
    "order": order,
    "two ways": two_ways,
    "diamond": diamond,
    "fork ladder": fork_ladder,
    "chain": chain,
    "wide sum": wide_sum,
    "regression": regression,
    "heat maps": heat_maps,
    "hostile names": hostile_names,
    "names": names,
    "classifier": classifier,
    "neurons": network_of_neurons,
    "200 nodes": lambda: network_of_neurons((4, 6, 4, 2, 1)),
    "chain of 200": lambda: chain(199),
    "40 layers": deep_network,
    "indices": indices,
    "sliding sums": sliding_sums,
    "recurrent": recurrent,
    "attention": attention,
    "layer norm": layer_norm,
    "residual": residual,
    "skips": skips,
    "batch of one": batch_of_one,
    "not finite": not_finite,
    "far apart numbers": far_apart_numbers,
    "partly constant": partly_constant,
    "two costs": two_costs,
    "broadcasting": broadcasting,
    "function of a leaf": function_of_a_leaf,
    "only a leaf": only_a_leaf,
    "tied parameters": tied_parameters,
    "float32": float32,
    "gates": gates,
    "stacks": stacks,
    "crossing": crossing,
    "memory cell": memory_cell,
    "one long expression": one_long_expression,
}
