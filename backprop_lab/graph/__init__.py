"""Graphs: nodes and leaves, what an operation is and how a call of it becomes a node, and the order in which
the passes take them.

Read ``node.py`` first.
"""
