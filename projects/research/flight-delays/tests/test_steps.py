"""The steps one after another on a few made-up flights: as steps of the pipeline, and bare."""

import json
import tarfile

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def project(step_module, tmp_path, monkeypatch):
    """A folder with flights that are late mostly in the rain, in which the steps run."""
    features = step_module("features")
    random = np.random.default_rng(1)
    days = pd.date_range("2013-08-01", "2013-10-30").strftime("%Y-%m-%d")
    frame = pd.DataFrame({name: random.integers(0, 20, 10 * len(days)).astype(float) for name in features.NUMERIC})
    frame.insert(0, "day", np.repeat(days, 10))
    frame["departure_minute"] = random.integers(300, 1380, len(frame)).astype(float)
    for name, values in {"carrier": ["AA", "UA"], "origin": ["EWR", "JFK"], "dest": ["IAH", "MIA", "ORD"]}.items():
        frame[name] = random.choice(values, len(frame))
    frame["late"] = (random.random(len(frame)) < np.where(frame["precip"] > 14, 0.9, 0.1)).astype(int)
    for name, chosen in {"train": frame["day"] < "2013-10-01", "test": frame["day"] >= "2013-10-01"}.items():
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        frame[chosen].to_csv(folder / "flights.csv.gz", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_steps_hand_their_results_to_one_another(project, run_step):
    data = project / "data"
    train = run_step("train", inputs={"train": data / "train"}, hyperparameters={"max_iter": 10, "validation_days": 20})
    assert train.metrics["trees"] <= 10
    assert train.metrics["validation_auc"] > 0.7
    evaluate = run_step("evaluate", inputs={"model": train.model, "test": data / "test"})
    assert json.loads((evaluate.outputs["report"] / "metrics.json").read_text())["auc"] > 0.75
    publish = run_step("publish", inputs={"report": evaluate.outputs["report"]}, parameters={"min_auc": 0.7})
    assert "0.7" in (publish.outputs["card"] / "MODEL_CARD.md").read_text()


@pytest.fixture
def run(step_module, monkeypatch):
    def run_step(name, *arguments):
        monkeypatch.setattr("sys.argv", [f"{name}.py", *arguments])
        step_module(name).main()

    return run_step


def test_train_evaluate_and_publish_run_bare(project, run, capsys):
    run("train", "--max_iter", "10", "--validation_days", "20")
    assert "validation_auc=0." in capsys.readouterr().out
    run("evaluate")
    assert "\nauc=0." in "\n" + capsys.readouterr().out
    report = json.loads((project / "data/report/metrics.json").read_text())
    assert report["auc_low"] < report["auc"] < report["auc_high"]
    assert report["auc"] > 0.75 > report["baseline_auc"]
    assert report["auc_gain"] == pytest.approx(report["auc"] - report["baseline_auc"])
    assert report["trained_on"]["last_day"] < report["tested_on"]["first_day"]
    assert report["n"] == sum(month["n"] for month in report["by_month"])

    run("publish", "--min-auc", "0.7")
    card = (project / "data/card/MODEL_CARD.md").read_text()
    assert "2013-10-01" in card
    assert "departures_in_hour" in card


def test_evaluate_reads_a_model_packed_by_sagemaker(project, run):
    run("train", "--max_iter", "2", "--validation_days", "20")
    model = project / "data/model/model.joblib"
    with tarfile.open(model.parent / "model.tar.gz", "w:gz") as archive:
        archive.add(model, "model.joblib")
    model.unlink()
    run("evaluate")
    assert (project / "data/report/metrics.json").exists()


def test_a_model_trained_on_test_days_is_not_evaluated(project, run):
    run("train", "--max_iter", "2", "--validation_days", "20")
    train, test = project / "data/train/flights.csv.gz", project / "data/test/flights.csv.gz"
    test.write_bytes(train.read_bytes())
    with pytest.raises(SystemExit, match="training ended on 2013-09-30"):
        run("evaluate")


def test_training_is_repeatable(project, run):
    reports = []
    for _ in range(2):
        run("train", "--max_iter", "5", "--validation_days", "20")
        run("evaluate")
        reports.append((project / "data/report/metrics.json").read_text())
    assert reports[0] == reports[1]
