"""Turn a pipeline definition into what its author would have written: the data of a pipeline.yaml.

Nothing here has to be perfect: who imports compiles what comes of it, compares, and patches what differs
(`buzzflow.driver.importing`).
"""
