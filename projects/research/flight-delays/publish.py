"""Write the model card: what the model does, how good it is, what it was given, and what it is not for."""

import argparse
import json
from pathlib import Path

from global_common.step import inputs, outputs

CARD = """\
# Flight delays from New York

Predicts the probability that a flight from EWR, JFK or LGA arrives at least {late_minutes} minutes late, from what is
known an hour before its scheduled departure.

| | from | to | flights |
| --- | --- | --- | --- |
| trained on | {trained_on[first_day]} | {trained_on[last_day]} | {trained_on[flights]:,} |
| tested on | {tested_on[first_day]} | {tested_on[last_day]} | {tested_on[flights]:,} |

## How good it is

| on the test months | model | rate of carrier and hour |
| --- | --- | --- |
| ROC AUC | {auc:.3f} ({auc_low:.3f} to {auc_high:.3f}) | {baseline_auc:.3f} |
| average precision | {average_precision:.3f} | {baseline_average_precision:.3f} |
| Brier score (less is better) | {brier:.4f} | {baseline_brier:.4f} |

{base_rate:.1%} of the test flights were late; the model's mean prediction is {mean_prediction:.1%}. The interval comes
from resampling days. The gate asked for a ROC AUC of at least {min_auc}.

| month | flights | late | mean prediction | ROC AUC |
| --- | --- | --- | --- | --- |
{months}

## What it was given

Settings: {settings}

Features: {features}

## Limits

- One year, one city: nothing is known about other years, other airports, or how fast the model ages.
- Cancelled and diverted flights have no arrival delay and are left out; "late" is among flights that arrived.
- It ranks flights and gives usable probabilities. It does not say how late, nor why.
- Weather is what was observed an hour before departure. For a prediction further ahead, train it on forecasts.
"""
MONTH = "| {month} | {n:,} | {base_rate:.1%} | {mean_prediction:.1%} | {auc:.3f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--min-auc", type=float, default=0.68)
    parser.add_argument("--late-minutes", type=int, default=15)
    args = parser.parse_args()
    report = json.loads((inputs["report"] / "metrics.json").read_text(encoding="utf-8"))
    path = Path(outputs["card"]) / "MODEL_CARD.md"
    path.write_text(render(report, args.min_auc, args.late_minutes), encoding="utf-8")
    print(f"ROC AUC {report['auc']:.3f} passed the gate of {args.min_auc}; the card is {path}")


def render(report, min_auc, late_minutes):
    """Return the card as Markdown."""
    texts = {
        "months": "\n".join(MONTH.format(**month) for month in report["by_month"]),
        "settings": ", ".join(f"{name} {value}" for name, value in report["settings"].items()),
        "features": ", ".join(report["features"]),
    }
    return CARD.format(**report | texts, min_auc=min_auc, late_minutes=late_minutes)


if __name__ == "__main__":
    main()
