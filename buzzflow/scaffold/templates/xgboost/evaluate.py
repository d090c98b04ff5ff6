"""Measure the model on rows that it has not seen, next to always answering their mean."""

import tarfile

import pandas as pd
import xgboost

from experiment_manager.metrics import log_metrics, write_report
from global_common.step import inputs, outputs


def main():
    model = load_model(inputs["model"])
    table = pd.read_csv(inputs["test"] / "test.csv")
    features, target = table.drop(columns="target"), table["target"]
    rmse = root_mean_square(model.predict(xgboost.DMatrix(features)) - target)
    baseline = root_mean_square(target.mean() - target)
    report = {"rmse": rmse, "baseline_rmse": baseline, "gain": baseline - rmse}
    log_metrics(report)
    write_report(outputs["report"] / "metrics.json", report | {"rows": len(table)})


def root_mean_square(errors):
    return float((errors**2).mean() ** 0.5)


def load_model(folder):
    """Load what train.py kept: a pipeline hands it on as `model.tar.gz`, a bare run as the file itself."""
    if (packed := folder / "model.tar.gz").exists():
        with tarfile.open(packed) as archive:
            content = archive.extractfile("model.json").read()
    else:
        content = (folder / "model.json").read_bytes()
    model = xgboost.Booster()
    model.load_model(bytearray(content))
    return model


if __name__ == "__main__":
    main()
