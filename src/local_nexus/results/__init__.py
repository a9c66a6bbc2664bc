"""Results and runtime traces of execute jobs; nothing that makes them."""
