"""Rules: the table of derivatives, a line for each operation, and what it stands on.

Read ``rules.py`` first.
"""
