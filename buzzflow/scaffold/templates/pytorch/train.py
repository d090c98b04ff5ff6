"""Train the network on all points at once, on a GPU where there is one."""

import torch
from network import new_network, read
from torch import nn

from experiment_manager.metrics import log_metrics
from global_common import step


def main():
    hidden, epochs = step.parameters.get("hidden", 32), step.parameters.get("epochs", 200)
    torch.manual_seed(step.parameters.get("seed", 0))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    points, classes = (part.to(device) for part in read(step.inputs["train"] / "train.csv"))
    network = new_network(hidden).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=step.parameters.get("learning_rate", 0.02))
    for epoch in range(1, epochs + 1):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(points), classes)
        loss.backward()
        optimizer.step()
        if epoch % 50 == 0 or epoch == epochs:
            log_metrics(loss=loss.item(), step=epoch)
    torch.save({"hidden": hidden, "weights": network.cpu().state_dict()}, step.model_dir / "model.pt")


if __name__ == "__main__":
    main()
