"""A job in every cloud: its states, its one submission, its budget, the wait for it.

How tasks and workflows run does not belong here, nor does anything of one cloud.
"""
