"""Who uses the server: names and ids; tokens are of ``local_cloud``."""
