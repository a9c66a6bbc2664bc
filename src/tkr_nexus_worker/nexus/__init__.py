"""Requests to Nexus: the client, its login and what jobs need first, but no jobs."""
