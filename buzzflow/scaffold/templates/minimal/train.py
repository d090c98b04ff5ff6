"""Fit a line by gradient descent, and keep it as JSON."""

import csv
import json

from global_common import step


def main():
    with (step.inputs["table"] / "table.csv").open(newline="") as file:
        points = [(float(row["x"]), float(row["y"])) for row in csv.DictReader(file)]
    slope, intercept = fit(points, rounds=step.parameters.get("rounds", 200))
    loss = sum((slope * x + intercept - y) ** 2 for x, y in points) / len(points)
    print(f"loss={loss:.6f}")
    (step.model_dir / "model.json").write_text(json.dumps({"slope": slope, "intercept": intercept}))


def fit(points, rounds, rate=0.3):
    slope = intercept = 0.0
    for _ in range(rounds):
        errors = [(slope * x + intercept - y, x) for x, y in points]
        slope -= rate * 2 * sum(error * x for error, x in errors) / len(points)
        intercept -= rate * 2 * sum(error for error, _ in errors) / len(points)
    return slope, intercept


if __name__ == "__main__":
    main()
