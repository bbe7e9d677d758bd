"""How operations are written: a table beside the tables of derivatives.

For each function: its form in code and in math, how strongly the whole binds, and how strongly each argument
must bind to need no brackets. What is not in the table is written as a call.

What must hold: code computes what the graph computes; an expression has the brackets that it needs, and no
others.
"""

from __future__ import annotations

import operator

import numpy as np

from backprop_lab.rules import forms, networks, primitives
from backprop_lab.rules.forms import comparison, formula, infix
from backprop_lab.words.notation import ATOM, POWER, PRODUCT, SUM, WRITTEN, Form, Written, power

# fmt: off
WRITTEN.update({
    #                  code, math, how the whole binds, how x and y must
    np.add:            infix("{0} + {1}", "{0} + {1}", SUM, SUM, SUM),
    np.subtract:       infix("{0} - {1}", "{0} − {1}", SUM, SUM, PRODUCT),
    np.multiply:       infix("{0} * {1}", forms.product, PRODUCT, PRODUCT, PRODUCT),
    np.divide:         infix("{0} / {1}", "{0} / {1}", PRODUCT, PRODUCT, POWER),
    np.power:          infix("{0}**{1}", Form(power, POWER, (ATOM, POWER)), POWER, ATOM, POWER),
    np.matmul:         infix("{0} @ {1}", forms.matrix_product, PRODUCT, PRODUCT, POWER),
    np.negative:       infix("-{0}", Form("−{0}", SUM, (PRODUCT,)), SUM, POWER),
    np.positive:       infix("+{0}", Form("{0}", SUM, (PRODUCT,)), SUM, POWER),
    # as products, but they bind like sums: −(a % b) is not (−a) % b, where −(a · b) is (−a) · b
    np.floor_divide:   infix("{0} // {1}", "⌊{0} / {1}⌋", SUM, PRODUCT, POWER),
    np.remainder:      infix("{0} % {1}", "{0} mod {1}", SUM, PRODUCT, POWER),

    np.greater:        comparison(">", ">"),
    np.greater_equal:  comparison(">=", "≥"),
    np.less:           comparison("<", "<"),
    np.less_equal:     comparison("<=", "≤"),
    np.equal:          comparison("==", "="),
    np.not_equal:      comparison("!=", "≠"),

    # in code in brackets, as a comparison: & binds more strongly than >
    np.bitwise_and:    forms.joined_conditions("&", "∧"),
    np.bitwise_or:     forms.joined_conditions("|", "∨"),
    np.bitwise_xor:    forms.joined_conditions("^", "⊻"),
    np.invert:         Written(Form("~{0}", POWER, (ATOM,)), Form("¬{0}", POWER, (ATOM,))),

    np.square:         formula("{0}²", POWER, ATOM),
    np.sqrt:           formula("√{0}", ATOM, ATOM),
    np.reciprocal:     formula("1 / {0}", PRODUCT, POWER),
    np.absolute:       formula("|{0}|"),
    np.linalg.norm:    formula("‖{0}‖"),
    np.outer:          formula("{0} {1}ᵀ", PRODUCT, POWER, ATOM),
    np.where:          formula("({1} if {0}, else {2})"),

    np.transpose:      Written(forms.transposed, Form("{0}ᵀ", ATOM, (ATOM,))),
    np.swapaxes:       formula("{0}ᵀ", ATOM, ATOM, code="np.swapaxes({0}, {axis1}, {axis2})"),
    np.moveaxis:       formula("{0}ᵀ", ATOM, ATOM, code="np.moveaxis({0}, {source}, {destination})"),
    np.tile:           formula("{0} tiled {reps}", SUM, PRODUCT, code="np.tile({0}, {reps})"),
    np.repeat:         formula("{0} repeated {repeats} times", SUM, PRODUCT,
                               code="np.repeat({0}, {repeats}, axis={axis})"),
    np.ravel:          Written(None, forms.reshaped),
    np.expand_dims:    Written(None, forms.reshaped),
    np.squeeze:        Written(None, forms.reshaped),
    np.reshape:        Written(Form("np.reshape({0}, {shape})"), forms.reshaped),
    np.broadcast_to:   Written(Form("np.broadcast_to({0}, {shape})"), forms.repeated),
    operator.getitem:  Written(forms.indexed_in_code, forms.indexed),
    np.stack:          Written(forms.joined("np.stack"), forms.joined("stack")),
    np.concatenate:    Written(forms.joined("np.concatenate"), forms.joined("concatenate")),
    np.einsum:         Written(forms.einsum_in_code, forms.einsum),

    networks.sigmoid:        formula("σ({0})"),
    networks.cross_entropy:  formula("cross-entropy({0}, {1})"),
    networks.squared_error:  formula("mean(({0} − {1})²)", ATOM, SUM, PRODUCT),
    networks.l2:             Written(None, forms.squared_norms),
    networks.stop_gradient:  formula("stopped({0})"),
    networks.rows_of:        Written(forms.rows_in_code, Form("onehot({0})")),

    primitives.scatter:      Written(forms.scattered_in_code, forms.scattered),
    primitives.sum_to:       Written(forms.summed_in_code, forms.summed),
    primitives.converted:    Written(Form("np.asarray({0}, {dtype})"), forms.ITSELF),
})
# fmt: on
