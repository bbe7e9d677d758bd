"""Graphs: nodes and leaves, what an operation is and how a call of it becomes a node, the order in which the
passes take them, and what an interrupt must not come between.

Read ``node.py`` first.
"""
