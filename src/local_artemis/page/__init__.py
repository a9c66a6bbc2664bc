"""The web page: jobs and the counts of their results, for a browser."""
