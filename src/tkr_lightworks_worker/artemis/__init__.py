"""Requests to Artemis: its settings, client, states and QPUs; jobs are next door."""
