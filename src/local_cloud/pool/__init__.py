"""Run programs in processes that may crash, run too long or be cancelled.

What belongs here: the pool, its processes and their limits. What programs and
simulators are does not: the owner of a pool names the function that handles requests.
"""

from local_cloud.pool.child import Request
from local_cloud.pool.process_pool import ProcessPool, RunHandle

__all__ = ["ProcessPool", "Request", "RunHandle"]
