"""Score every file of a folder, some rows at a time, so that a file may be larger than the memory."""

import tarfile
import tempfile
from pathlib import Path

import pandas as pd
from inference import model_fn, predict_fn

from global_common.step import inputs, outputs, parameters


def main():
    model = load_model(inputs["model"])
    files = sorted(inputs["batches"].rglob("*.csv"))
    if not files:
        raise SystemExit("there is no .csv file to score")
    for file in files:
        target = outputs["predictions"] / file.relative_to(inputs["batches"])
        print(f"{file.name}: {score(file, target, model, parameters.get('rows', 100))} rows", flush=True)


def score(file, target, model, rows):
    """Write the probabilities of *file* to *target*, and return how many there are."""
    target.parent.mkdir(parents=True, exist_ok=True)
    total = 0
    with pd.read_csv(file, chunksize=rows) as chunks:
        for chunk in chunks:
            answers = pd.DataFrame({"probability": predict_fn(chunk, model)})
            answers.to_csv(target, mode="a" if total else "w", header=not total, index=False)
            total += len(chunk)
    return total


def load_model(folder):
    """Load what train.py kept: a pipeline hands it on as `model.tar.gz`, a bare run as the file itself."""
    if not (packed := folder / "model.tar.gz").exists():
        return model_fn(folder)
    with tempfile.TemporaryDirectory() as unpacked, tarfile.open(packed) as archive:
        (Path(unpacked) / "model.joblib").write_bytes(archive.extractfile("model.joblib").read())
        return model_fn(unpacked)


if __name__ == "__main__":
    main()
