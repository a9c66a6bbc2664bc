"""Projects and the definitions of their properties; not what they contain."""
