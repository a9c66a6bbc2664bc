"""Programs in files: read, write and run them; uploads are in ``programs``."""
