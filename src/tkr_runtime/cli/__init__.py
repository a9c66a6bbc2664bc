"""What every command line shares: groups, tables, JSON and errors, but no command."""
