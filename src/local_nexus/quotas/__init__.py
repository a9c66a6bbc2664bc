"""What users may use: quotas, credits and credentials; no roles on resources."""
