"""Users, teams and their roles; how they log in stands in ``login``."""
