"""The training lab: a network that is trained while its settings are dragged.

Read ``training.py`` first.
"""
