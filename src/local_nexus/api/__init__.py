"""The shapes that all resources of the API share; nothing of a single resource."""
