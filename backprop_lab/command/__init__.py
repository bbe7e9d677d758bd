"""The command ``backprop-lab``: it lays the notebooks out and opens them.

Read ``cli.py`` first.
"""
