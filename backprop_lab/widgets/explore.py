"""``bl.explore``: pictures that follow a slider or a drag. Each is a module of its own."""

from backprop_lab.widgets.chain_rule import chain_rule
from backprop_lab.widgets.finite_difference import finite_difference
from backprop_lab.widgets.fit import fit
from backprop_lab.widgets.jacobian_map import jacobian_map
from backprop_lab.widgets.landscape import landscape
from backprop_lab.widgets.paths import paths
from backprop_lab.widgets.training import training

__all__ = ["chain_rule", "finite_difference", "fit", "jacobian_map", "landscape", "paths", "training"]
