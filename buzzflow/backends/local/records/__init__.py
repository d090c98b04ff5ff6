"""What a run writes down: what it was asked, what it was made of, what became of it."""
