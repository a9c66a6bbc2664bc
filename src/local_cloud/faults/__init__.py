"""Faults on demand: rules, counts and how they hit a request; no simulated hardware."""
