"""What :func:`bl.check_gradient` found: one row for each comparison, printed as a table."""

from __future__ import annotations

from typing import NamedTuple

from backprop_lab.words import notation


class Row(NamedTuple):
    """One comparison: where, both slopes (if there are any), and the verdict.

    It is ``"ok"``, ``"wrong"``, ``"kink"`` (no slope there) or ``"unclear"`` (hidden by rounding).
    """

    variable: str
    entry: str
    by_rule: float | None
    by_difference: float | None
    verdict: str
    note: str = ""


class GradientReport:
    """What :func:`check_gradient` found, ``.rows`` and ``.ok``; prints as a table."""

    def __init__(self, rows: list[Row], source: str = "backward pass"):
        self.rows = rows
        self.source = source

    @property
    def ok(self) -> bool:
        """Whether no comparison came out wrong; kinks and unclear ones do not count."""
        return all(row.verdict != "wrong" for row in self.rows)

    def __repr__(self):
        table = [("variable", "entry", self.source, "difference quotient", "")]
        for r in self.rows:
            slopes = map(_slope_text, (r.by_rule, r.by_difference))
            table.append((r.variable, r.entry, *slopes, r.verdict + (r.note and f": {r.note}")))
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in table]
        wrong = sum(row.verdict == "wrong" for row in self.rows)
        ending = f"{len(self.rows)} compared, {wrong} wrong"
        for verdict, words in (("kink", "at a kink"), ("unclear", "unclear")):
            count = sum(row.verdict == verdict for row in self.rows)
            ending += f", {count} {words}" * bool(count)
        return "\n".join([*lines, ending])


def _slope_text(slope):
    return "—" if slope is None else notation.number(slope, 6)
