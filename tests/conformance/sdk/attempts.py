def outcomes(session): return {}
