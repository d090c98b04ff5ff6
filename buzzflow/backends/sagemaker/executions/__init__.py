"""Start deployed pipelines, watch them, read what they print, stop and resume them, take them away."""
