"""Simulate circuits by Qiskit Aer, with its noise; nothing of other simulators."""
