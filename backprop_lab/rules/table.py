"""The whole table: importing this enters every family, and how each operation is written.

What must hold: it is imported before the first node is made, by the package itself.
"""

import backprop_lab.rules.elementwise
import backprop_lab.rules.linear_algebra
import backprop_lab.rules.networks
import backprop_lab.rules.products
import backprop_lab.rules.rearranging
import backprop_lab.rules.reductions
import backprop_lab.rules.writing  # noqa: F401
