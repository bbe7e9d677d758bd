"""``bl.explore``: pictures that follow a slider or a drag, each in its own module."""

from backprop_lab.explorers.chain_rule import chain_rule
from backprop_lab.explorers.finite_difference import finite_difference
from backprop_lab.explorers.fit import fit
from backprop_lab.explorers.jacobian_map import jacobian_map
from backprop_lab.explorers.landscape import landscape
from backprop_lab.explorers.paths import paths
from backprop_lab.training_lab.training import training

__all__ = ["chain_rule", "finite_difference", "fit", "jacobian_map", "landscape", "paths", "training"]
