"""Make points on two spirals, with a little noise: two thirds to train on, one third to test on."""

import csv
import math
import random

from global_common.step import outputs

POINTS = 900


def main():
    rng = random.Random(0)  # the same points in every run
    points = [spiral_point(rng, arm=i % 2) for i in range(POINTS)]
    rng.shuffle(points)
    write(outputs["train"] / "train.csv", points[: POINTS * 2 // 3])
    write(outputs["test"] / "test.csv", points[POINTS * 2 // 3 :])


def spiral_point(rng, arm):
    radius = rng.uniform(0.1, 1)
    angle = 2 * math.pi * radius + arm * math.pi
    return radius * math.cos(angle) + rng.gauss(0, 0.02), radius * math.sin(angle) + rng.gauss(0, 0.02), arm


def write(file, points):
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["x", "y", "arm"])
        writer.writerows(points)
    print(f"{len(points)} points in {file.name}")


if __name__ == "__main__":
    main()
