"""OpenQASM 2 and 3: from text to circuits; files and what runs them are outside."""
