"""How one task runs: its process, context and lock. Workflows are in `workflows`."""
