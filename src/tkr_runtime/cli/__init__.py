"""What all command lines share: groups, tables, JSON and errors, but no commands."""
