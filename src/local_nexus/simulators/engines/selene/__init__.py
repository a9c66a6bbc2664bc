"""Simulate HUGR and QIR programs by Selene, with noise; circuits do not belong here."""
