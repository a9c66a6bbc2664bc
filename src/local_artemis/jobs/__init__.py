"""Jobs from submission to their final state, and their results."""
