"""Rules: the tables of derivatives, one module for each family of operations, and what they stand on.

Read ``elementwise.py`` first, then ``declaring.py``; how operations are written stands in ``writing.py``.
"""
