"""How requests are answered: application, endpoints, page; nothing of what they do."""
