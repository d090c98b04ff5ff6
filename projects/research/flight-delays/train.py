"""Train gradient-boosted trees; the last days of the training months decide how many."""

import argparse

import joblib
import numpy as np
from features import TARGET, categories_of, fit_rates, prepare, read, split_last_days
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score

from experiment_manager.metrics import log_metrics
from global_common import step


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learning_rate", type=float, default=0.1)
    parser.add_argument("--max_iter", type=int, default=100, help="most trees to try")
    parser.add_argument("--max_leaf_nodes", type=int, default=31)
    parser.add_argument("--validation_days", type=int, default=61, help="held out to choose the number of trees")
    parser.add_argument("--seed", type=int, default=0)
    args, _ = parser.parse_known_args()

    flights = read(step.inputs["train"] / "flights.csv.gz")
    print(f"{len(flights)} flights from {flights['day'].min()} to {flights['day'].max()}", flush=True)
    categories = categories_of(flights)
    earlier, later = split_last_days(flights, args.validation_days)
    settings = {
        "learning_rate": args.learning_rate,
        "max_leaf_nodes": args.max_leaf_nodes,
        "random_state": args.seed,
    }
    trees, validation_auc = choose_trees(earlier, later, categories, args.max_iter, settings)
    log_metrics(trees=trees, validation_auc=validation_auc)

    model = new_model(trees, settings).fit(prepare(flights, categories), flights[TARGET])
    bundle = {
        "model": model,
        "categories": categories,
        "baseline": fit_rates(flights),
        "trained_on": {"first_day": flights["day"].min(), "last_day": flights["day"].max(), "flights": len(flights)},
        "settings": settings | {"trees": trees},
    }
    # Loading this file runs code that is in it: fine for evaluate.py of the same run, not for a file from elsewhere.
    joblib.dump(bundle, step.model_dir / "model.joblib")


def choose_trees(earlier, later, categories, max_iter, settings):
    """Fit on *earlier*; return the number of trees with the least log loss on *later*, and the ROC AUC there.

    Early stopping of scikit-learn would hold out flights at random: the same storm would be on both sides.
    """
    model = new_model(max_iter, settings).fit(prepare(earlier, categories), earlier[TARGET])
    stages = [stage[:, 1] for stage in model.staged_predict_proba(prepare(later, categories))]
    best = int(np.argmin([log_loss(later[TARGET], stage) for stage in stages]))
    return best + 1, roc_auc_score(later[TARGET], stages[best])


def new_model(trees, settings):
    return HistGradientBoostingClassifier(
        max_iter=trees, early_stopping=False, categorical_features="from_dtype", **settings
    )


if __name__ == "__main__":
    main()
