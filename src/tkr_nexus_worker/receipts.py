"""Receipts of jobs and their results, at the place where earlier versions had them."""

from tkr_nexus_worker.jobs.receipt import Receipt, read_receipt
from tkr_nexus_worker.results.download import results_from_receipt
from tkr_runtime.tasks.receipts import RECEIPT_FILE, find_receipts

__all__ = [
    "RECEIPT_FILE",
    "Receipt",
    "find_receipts",
    "read_receipt",
    "results_from_receipt",
]
