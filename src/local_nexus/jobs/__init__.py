"""Jobs from submission to their final state; what they make stands beside them."""
