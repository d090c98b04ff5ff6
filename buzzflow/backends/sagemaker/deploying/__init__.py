"""Bring a pipeline to its account: plan what differs, lock, upload, create or update, read back."""
