"""Words: the kinds of mistake, how names, numbers and expressions are written, the reader's own names, and
arrays and numbers where they come in.

Read ``notation.py`` first.
"""
