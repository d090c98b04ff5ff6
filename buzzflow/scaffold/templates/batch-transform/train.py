"""Fit gradient-boosted trees."""

import joblib
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from global_common import step


def main():
    table = pd.read_csv(step.inputs["train"] / "train.csv")
    model = HistGradientBoostingClassifier(
        max_iter=step.parameters.get("max_iter", 100), random_state=step.parameters.get("seed", 0)
    ).fit(table.drop(columns="target"), table["target"])
    joblib.dump(model, step.model_dir / "model.joblib")


if __name__ == "__main__":
    main()
