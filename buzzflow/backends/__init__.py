"""Backends: each compiles the same IR for one place to run, and knows no other."""
