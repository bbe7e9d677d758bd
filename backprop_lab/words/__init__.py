"""Words: the kinds of mistake; how names, numbers and expressions are written; the reader's own names; checks
of the arrays and numbers that come in.

Read ``notation.py`` first.
"""
