"""Passes: forward and backward, their records, and what is built on them: derivatives of any order, the
gradient check, the report of a NaN.

Read ``passes.py`` first.
"""
