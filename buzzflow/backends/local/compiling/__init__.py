"""Compile a pipeline to a run plan, and tell what a plan cannot hold."""
