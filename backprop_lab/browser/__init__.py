"""Browser: what all widgets share, their base class, their scripts and their style.

Read ``widget.py`` first.
"""
