"""Simulate circuits by Qulacs, with noise and leakage; nothing of other simulators."""
