"""Rules: the tables of derivatives, one module for each family of operations, and what they are built on.

Read ``elementwise.py`` first, then ``declaring.py``; ``writing.py`` says how operations are written.
"""
