"""Graphs: nodes and leaves, what an operation is and how a call of it becomes a node, the order in which the
passes visit them, and what an interrupt must not split.

Read ``node.py`` first.
"""
