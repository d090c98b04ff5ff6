SELECT a, b FROM clicks
