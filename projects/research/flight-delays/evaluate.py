"""Measure the model on the months after training, next to the rate per carrier and hour that it has to beat."""

import tarfile
from pathlib import Path

import joblib
import numpy as np
from features import FEATURES, TARGET, predict_rates, prepare, read
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from experiment_manager.metrics import log_metrics, write_report
from global_common.step import inputs, outputs

RESAMPLES = 200


def main():
    bundle = load_model(inputs["model"])
    flights = read(inputs["test"] / "flights.csv.gz")
    trained_on = bundle["trained_on"]
    if flights["day"].min() <= trained_on["last_day"]:
        raise SystemExit(f"test flights start on {flights['day'].min()}, training ended on {trained_on['last_day']}")

    report = evaluate(bundle, flights)
    log_metrics(**{name: value for name, value in report.items() if isinstance(value, float)})
    report |= {
        "trained_on": trained_on,
        "tested_on": {"first_day": flights["day"].min(), "last_day": flights["day"].max(), "flights": len(flights)},
        "settings": bundle["settings"],
        "features": FEATURES,
    }
    write_report(outputs["report"] / "metrics.json", report)


def load_model(folder):
    """Load the model that train.py saved: SageMaker hands it on as `model.tar.gz`, a bare run as the file itself."""
    folder = Path(folder)
    if not (packed := folder / "model.tar.gz").exists():
        return joblib.load(folder / "model.joblib")
    with tarfile.open(packed) as archive:
        member = next(member for member in archive if Path(member.name).name == "model.joblib")
        return joblib.load(archive.extractfile(member))


def evaluate(bundle, flights):
    """Return the metrics of model and baseline, ready for JSON."""
    late = flights[TARGET].to_numpy()
    predicted = bundle["model"].predict_proba(prepare(flights, bundle["categories"]))[:, 1]
    baseline = np.asarray(predict_rates(bundle["baseline"], flights))
    auc, baseline_auc = roc_auc_score(late, predicted), roc_auc_score(late, baseline)
    auc_low, auc_high = auc_interval(late, predicted, flights["day"].to_numpy())
    months = flights["day"].str[:7]
    return {
        "auc": float(auc),
        "auc_low": auc_low,
        "auc_high": auc_high,
        "average_precision": float(average_precision_score(late, predicted)),
        "brier": float(brier_score_loss(late, predicted)),
        "baseline_auc": float(baseline_auc),
        "baseline_average_precision": float(average_precision_score(late, baseline)),
        "baseline_brier": float(brier_score_loss(late, baseline)),
        "auc_gain": float(auc - baseline_auc),
        "base_rate": float(late.mean()),
        "mean_prediction": float(predicted.mean()),
        "n": len(flights),
        "by_month": [
            {
                "month": month,
                "n": int(chosen.sum()),
                "base_rate": float(late[chosen].mean()),
                "mean_prediction": float(predicted[chosen].mean()),
                "auc": float(roc_auc_score(late[chosen], predicted[chosen])),
            }
            for month in sorted(months.unique())
            for chosen in [(months == month).to_numpy()]
        ],
    }


def auc_interval(late, predicted, days, seed=0):
    """A 95 % interval of the ROC AUC from resampling whole days: flights of one day share its weather."""
    random = np.random.default_rng(seed)
    by_day = [np.flatnonzero(days == day) for day in np.unique(days)]
    values = []
    for _ in range(RESAMPLES):
        chosen = np.concatenate([by_day[i] for i in random.integers(len(by_day), size=len(by_day))])
        values.append(roc_auc_score(late[chosen], predicted[chosen]))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


if __name__ == "__main__":
    main()
