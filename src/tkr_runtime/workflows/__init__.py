"""How a workflow runs to its end, also after faults. Single tasks are in `tasks`."""
