"""A job in every cloud: its name and states, its one submission, its budget, the wait.

How tasks and workflows run does not belong here, nor does anything of one cloud.
"""
