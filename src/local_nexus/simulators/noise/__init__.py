"""Say which errors happen when, for any simulator.

What belongs here: error rates, where they come from, and how long operations take. How
a simulator makes an error happen belongs to that simulator, in ``engines``.
"""
