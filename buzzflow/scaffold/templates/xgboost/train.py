"""Boost trees with XGBoost's own interface."""

import pandas as pd
import xgboost

from experiment_manager.metrics import log_metrics
from global_common import step


def main():
    table = pd.read_csv(step.inputs["train"] / "train.csv")
    rows = xgboost.DMatrix(table.drop(columns="target"), label=table["target"])
    settings = {
        "objective": "reg:squarederror",
        "max_depth": step.parameters.get("max_depth", 2),
        "eta": step.parameters.get("eta", 0.05),
        "seed": step.parameters.get("seed", 0),
    }
    history = {}
    model = xgboost.train(
        settings,
        rows,
        num_boost_round=step.parameters.get("rounds", 150),
        evals=[(rows, "train")],
        evals_result=history,
        verbose_eval=25,
    )
    log_metrics(train_rmse=history["train"]["rmse"][-1])
    model.save_model(step.model_dir / "model.json")


if __name__ == "__main__":
    main()
