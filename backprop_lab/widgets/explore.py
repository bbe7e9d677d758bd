"""``bl.explore``: pictures that follow a drag. Each is a widget of its own module; here are their names."""

from backprop_lab.widgets.chain_rule import chain_rule
from backprop_lab.widgets.finite_difference import finite_difference
from backprop_lab.widgets.jacobian_map import jacobian_map

__all__ = ["chain_rule", "finite_difference", "jacobian_map"]
