"""Helpers of every command line: groups, tables, JSON, errors; no commands."""
