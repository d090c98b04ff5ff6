"""Fit gradient-boosted trees."""

import joblib
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from experiment_manager.metrics import log_metrics
from global_common import step


def main():
    table = pd.read_csv(step.inputs["train"] / "train.csv")
    features, target = table.drop(columns="target"), table["target"]
    model = HistGradientBoostingClassifier(
        max_leaf_nodes=step.parameters.get("max_leaf_nodes", 15), random_state=step.parameters.get("seed", 0)
    ).fit(features, target)
    log_metrics(train_auc=roc_auc_score(target, model.predict_proba(features)[:, 1]))
    joblib.dump(model, step.model_dir / "model.joblib")


if __name__ == "__main__":
    main()
