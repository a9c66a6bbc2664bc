"""How tasks run, and how workflows run to their end, whatever the cloud.

What knows the service to which jobs go belongs to the package of its worker.
"""
