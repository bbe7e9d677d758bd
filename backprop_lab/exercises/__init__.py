"""Exercises: likely mistakes and what they mean, questions, formulas to type, boxes to fill in, bugs to find.

Read ``confusions.py`` first.
"""
