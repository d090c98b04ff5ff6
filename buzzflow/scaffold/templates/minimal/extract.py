"""Make a table to learn from: y is 3x + 2, and a little noise."""

import csv
import random

from global_common.step import outputs

ROWS = 200


def main():
    rng = random.Random(0)  # the same table in every run
    with (outputs["table"] / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["x", "y"])
        for _ in range(ROWS):
            x = rng.uniform(-1, 1)
            writer.writerow([x, 3 * x + 2 + rng.gauss(0, 0.1)])
    print(f"wrote {ROWS} rows")


if __name__ == "__main__":
    main()
