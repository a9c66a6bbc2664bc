"""One module per simulator; each imports the package that it wraps."""
