"""How to load the model and how to answer, in the functions that SageMaker's scikit-learn image looks for."""

from pathlib import Path

import joblib


def model_fn(model_dir):
    """Load the model from the folder that model.tar.gz is unpacked to.

    Loading the file runs code that is in it: only load models of your own pipelines.
    """
    return joblib.load(Path(model_dir) / "model.joblib")


def predict_fn(input_data, model):
    """Return the probability of the second class for each row of a data frame."""
    return model.predict_proba(input_data)[:, 1]
