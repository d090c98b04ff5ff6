"""Measure the model on points that it has not seen."""

import io
import tarfile

import torch
from network import new_network, read

from experiment_manager.metrics import log_metrics, write_report
from global_common.step import inputs, outputs


def main():
    network = load_network(inputs["model"])
    points, classes = read(inputs["test"] / "test.csv")
    with torch.no_grad():
        accuracy = (network(points).argmax(1) == classes).double().mean().item()
    log_metrics(accuracy=accuracy)
    write_report(outputs["report"] / "metrics.json", {"accuracy": accuracy, "points": len(points)})


def load_network(folder):
    """Load what train.py kept: a pipeline hands it on as `model.tar.gz`, a bare run as the file itself."""
    if (packed := folder / "model.tar.gz").exists():
        with tarfile.open(packed) as archive:
            content = archive.extractfile("model.pt").read()
    else:
        content = (folder / "model.pt").read_bytes()
    kept = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    network = new_network(kept["hidden"])
    network.load_state_dict(kept["weights"])
    return network.eval()


if __name__ == "__main__":
    main()
