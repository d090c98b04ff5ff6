"""Measure the model on rows that it has not seen."""

import tarfile

import joblib
import pandas as pd
from sklearn.metrics import accuracy_score, roc_auc_score

from experiment_manager.metrics import log_metrics, write_report
from global_common.step import inputs, outputs


def main():
    model = load_model(inputs["model"])
    table = pd.read_csv(inputs["test"] / "test.csv")
    features, target = table.drop(columns="target"), table["target"]
    report = {
        "auc": roc_auc_score(target, model.predict_proba(features)[:, 1]),
        "accuracy": accuracy_score(target, model.predict(features)),
    }
    log_metrics(report)
    write_report(outputs["report"] / "metrics.json", report | {"rows": len(table)})


def load_model(folder):
    """Load what train.py kept: a pipeline hands it on as `model.tar.gz`, a bare run as the file itself.

    Loading the file runs code that is in it: only load models of your own pipelines.
    """
    if not (packed := folder / "model.tar.gz").exists():
        return joblib.load(folder / "model.joblib")
    with tarfile.open(packed) as archive:
        return joblib.load(archive.extractfile("model.joblib"))


if __name__ == "__main__":
    main()
