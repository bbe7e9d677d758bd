"""Pictures: a graph's state drawn as cards and arrows, to SVG, PNG and GIF; and plots.

Read ``timeline.py`` first.
"""
