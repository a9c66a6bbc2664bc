"""Devices and what their backends can do; how they run programs is simulated."""
