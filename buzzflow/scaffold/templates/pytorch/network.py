"""The network and its data: what train.py and evaluate.py must agree on."""

import csv

import torch
from torch import nn


def new_network(hidden):
    return nn.Sequential(nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 2))


def read(file):
    """Return the points, of shape (n, 2), and their classes, of shape (n,)."""
    with file.open(newline="") as rows:
        table = [(float(row["x"]), float(row["y"]), int(row["arm"])) for row in csv.DictReader(rows)]
    return torch.tensor([row[:2] for row in table]), torch.tensor([row[2] for row in table])
