"""Interrupts at any moment at which CPython looks for one, one moment after the other.

It does so after calls, at the start of functions and at jumps back. What must hold: nothing here depends on
the machine's speed.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dis import opname
from pathlib import Path

import backprop_lab as bl

MOMENTS = ("CALL", "RESUME", "JUMP_BACKWARD")


def of_the_lab(frame) -> bool:
    return Path(frame.f_code.co_filename).is_relative_to(Path(bl.__file__).parent)


@contextmanager
def interrupted_after(count: int):
    """KeyboardInterrupt at this moment, of those inside the lab's own code."""
    before, left = {}, count

    def passed():
        nonlocal left
        left -= 1
        if left < 0:
            left = count
            raise KeyboardInterrupt

    def trace(frame, event, _):
        if not of_the_lab(frame):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            after, before[frame] = before.get(frame, ""), opname[frame.f_code.co_code[frame.f_lasti]]
            if after.startswith(MOMENTS):
                passed()
        return trace

    def profile(frame, event, _):
        if event == "c_return" and of_the_lab(frame):  # still at the call, so before a block that it opens
            passed()

    old = sys.gettrace(), sys.getprofile()
    sys._getframe().f_trace_opcodes = True  # Python 3.12 looks at this before it traces
    sys.setprofile(profile)
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(old[0])
        sys.setprofile(old[1])
