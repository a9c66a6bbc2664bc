"""Requests to Nexus: client, login, projects and checks of input; no jobs."""
