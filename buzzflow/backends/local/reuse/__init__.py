"""What a run takes from earlier ones instead of making it again."""
