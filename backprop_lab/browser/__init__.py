"""Browser: what all widgets share on the page, their scripts and their style.

Read ``assets.py`` first.
"""
