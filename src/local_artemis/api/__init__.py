"""What all resources of the API share: bodies of errors, dates, tables; no resource."""
