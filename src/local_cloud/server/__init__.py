"""The life of a server: start, address, certificate, directory, stop; no requests."""
