"""Programs: a cost and its gradient made simpler, bound to memory, run as a flat list of NumPy calls, and
printed.

Read ``program.py`` first.
"""
