"""Talk to AWS: clients whose retries are ours to know, and errors in the user's terms. boto3 is imported only here."""
