"""The training lab: a network that trains while its settings are dragged.

Read ``training.py`` first.
"""
