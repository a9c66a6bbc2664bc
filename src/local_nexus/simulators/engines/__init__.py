"""Simulate programs: a module or folder for each simulator, which imports its package.

What holds for all simulators, such as devices, noise or costs, does not belong here.
"""
