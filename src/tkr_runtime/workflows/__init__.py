"""How a workflow runs to its end, also after faults; one task is next door."""
