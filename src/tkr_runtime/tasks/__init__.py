"""How one task runs: its process, context, lock and waits; workflows are next door."""
