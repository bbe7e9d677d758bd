"""Learning: stochastic gradient descent, its steps as records, and data to learn from.

Read ``descent.py`` first.
"""
