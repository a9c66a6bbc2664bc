"""What every command line shares: groups, tables, JSON, errors; nothing of a cloud."""
