"""Logins, second factors and tokens; who the users are stands in ``users``."""
