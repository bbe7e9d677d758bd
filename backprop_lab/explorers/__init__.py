"""Explorers: pictures that follow a slider or a drag, one module each.

Read ``explorer.py`` first.
"""
