"""How tasks run, and how workflows run to their end, whatever the cloud.

Code that knows the service to which jobs are submitted belongs in the package of its
worker.
"""
