"""Read pipeline files: guarded YAML, layers, OmegaConf interpolation, and where every value came from."""
