"""Compute samples without a cloud: a request goes in, an outcome comes out.

What belongs here: linear optics, photons, detectors and the processes that compute.
Users, jobs and their states do not. Importing this package imports no engine; those are
loaded only in the processes of the pool.
"""

from local_artemis.engines.requests import EngineName, Noise, Outcome, SampleRequest

__all__ = ["EngineName", "Noise", "Outcome", "SampleRequest"]
