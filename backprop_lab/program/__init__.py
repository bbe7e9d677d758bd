"""Programs: a cost and its gradient simplified (``simplify.py``), with all variables in one vector
(``one_vector.py``), bound to memory (``buffers.py``), run (``program.py``) and printed (``source.py``).

Read ``program.py`` first.
"""
