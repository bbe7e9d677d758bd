"""Stepping: the step-through of a graph, and the panels beside its picture.

Read ``step_through.py`` first.
"""
