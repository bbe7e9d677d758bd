"""The reader's own name for a node: what stands to the left of the = in the statement that makes it.

Python knows where the learner's code stands while a node is made; the instruction after that one says which
name the result is stored under.

What must hold: no name is better than a wrong one.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any


def assigned_name() -> str | None:
    """The target of the learner's ``name = expression`` statement that is making a node right now.

    Only where the learner's own code made the call: nodes made inside the package have no name, nor have the
    entries of a node that is iterated over (``rows = list(W)``) or the partial sums of a function that adds
    nodes up (``J = sum(costs)``).
    """
    frame: FrameType | None = sys._getframe(1)
    by_operator = False
    while frame is not None and frame.f_code.co_filename in _ENTRANCES:
        if frame.f_code.co_name == "__iter__":
            return None
        by_operator = by_operator or frame.f_code.co_name == _OPERATOR
        frame = frame.f_back
    if frame is None or in_package(frame):
        return None
    name, call = _stores(frame.f_code).get(frame.f_lasti, (None, False))
    return None if by_operator and call else name


def folded(name: Any) -> Any:
    """A name as Python reads it in a program: the letters µ and μ, which look alike, are one there.

    >>> [ord(letter) for letter in (folded("\u00b5"), folded("\u03bc"))]
    [956, 956]
    """
    if not isinstance(name, str) or name.isascii() or not name.isidentifier():
        return name
    import unicodedata  # here, because such names are rare

    return unicodedata.normalize("NFKC", name)


def in_package(frame: FrameType) -> bool:
    """Whether a frame runs code of this package."""
    return frame.f_code.co_filename.startswith(_PACKAGE)


_PACKAGE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")
# The files through which a learner's call comes in.
_ENTRANCES = {__file__, *(os.path.join(_PACKAGE, "graph", name) for name in ("node.py", "operation.py"))}
_OPERATOR = "operator_of_a_node"  # what graph/node.py calls the methods behind +, * and so on


@lru_cache(maxsize=256)
def _stores(code: CodeType) -> dict[int, tuple[str, bool]]:
    """{offset of an instruction whose result goes straight into a name: (that name, whether it is a call)}.

    While a Python function runs, its caller's offset stands somewhere inside the call instruction
    and its caches; so every offset from there up to the store counts.
    """
    import dis  # here, because it is only needed once a graph is built

    names: dict[int, tuple[str, bool]] = {}
    found = [i for i in dis.get_instructions(code) if i.opname not in ("EXTENDED_ARG", "CACHE")]
    for made, store, after in zip(found, found[1:], found[2:], strict=False):
        if store.opname not in _STORES or made.opname in _HAND_OUT or after.opname in _STORES:
            continue  # not a store, or one of several targets
        # Python 3.13 stores one variable and loads another in one instruction
        target = store.argval if isinstance(store.argval, str) else store.argval[0]
        if target.isidentifier():  # pytest's asserts store under names like @py_assert1
            found_here = target, made.opname.startswith("CALL")
            names |= dict.fromkeys(range(made.offset, store.offset, 2), found_here)
    return names


_STORES = {"STORE_NAME", "STORE_GLOBAL", "STORE_FAST", "STORE_DEREF", "STORE_FAST_LOAD_FAST"}
_HAND_OUT = {"FOR_ITER", "UNPACK_SEQUENCE", "UNPACK_EX"}
