from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from buzzflow.config.parse import parse, parse_environment
from buzzflow.config.pipeline import EnvironmentConfig, PipelineConfig
from buzzflow.config.steps import STEP_MODELS, EstimatorConfig, fields_by_type
from buzzflow.config.values import Config
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.loader.load import load
from buzzflow.template import Reference, Template


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "ctr").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "ctr"


def pipeline(text: str) -> PipelineConfig:
    file = Path("ctr/pipeline.yaml")
    file.write_text(text)
    loaded = load(file, fields=fields_by_type())
    return parse(loaded.data, name=loaded.name)


def training(fields: str) -> EstimatorConfig:
    step = pipeline(f"steps:\n  s: {{type: training, code: t.py, {fields}}}").steps["s"]
    assert isinstance(step, EstimatorConfig)
    return step


def processing(fields: str) -> Any:
    return pipeline(f"steps:\n  s: {{type: processing, {fields}}}").steps["s"]


def problems(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(PipelineError) as error:
        pipeline(text)
    return error.value.diagnostics


def test_two_lines_are_a_pipeline():
    config = pipeline("steps:\n  train: {type: training, code: train.py}\n")
    train = config.steps["train"]

    assert config.name == "ctr"
    assert isinstance(train, EstimatorConfig)
    assert train.code is not None
    assert train.code.entry_point == "train.py"
    assert (train.instance.type, train.instance.count, train.instance.volume_size_gb) == ("ml.m5.xlarge", 1, 30)
    assert (train.retry, train.cache, train.timeout, train.network, train.image) == ([], None, 86400, None, None)


# ------------------------------------------------------------------ values


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("2h", 7200), ("30d", 2592000), ("1w", 604800), ("1h30m", 5400), ("1.5h", 5400), ("0s", 0)],  # noqa: E501
)  # fmt: skip
def test_a_duration_is_a_number_with_its_unit(text, seconds):
    assert training(f"timeout: {text}").timeout == seconds


@pytest.mark.parametrize(
    "text", ["90", "1.5", "'90'", "''", "-1h", "1 h", "1y", "h", "1h 30m", "'1:30'", "true", "[1h]", "9" * 400 + "w", "1H", "٣s", "x${param:p}s"]  # noqa: E501
)  # fmt: skip
def test_what_is_no_duration_is_told(text):
    (found,) = problems(f"steps:\n  s: {{type: training, code: t.py, timeout: '{text}'}}".replace("''", "'"))

    assert found.code in ("BF206", "BF207")
    assert found.path == ("steps", "s", "timeout")


def test_a_duration_may_be_one_reference():
    assert training("timeout: '${param:t}'").timeout == Template((Reference("param", ("t",)),))


@pytest.mark.parametrize("word", ["fast_file", "FastFile", "Fast_File", "FAST_FILE"])
def test_the_services_own_spelling_of_a_word_is_accepted(word):
    assert training(f"input_mode: {word}").input_mode == "fast_file"
    assert training(f"inputs: {{a: {{from: s3://b, mode: {word}}}}}").inputs["a"].mode == "fast_file"


def test_the_other_words_are_lower_case_too():
    step = training(
        "inputs: {a: {from: s3://b, distribution: Replicate, data_type: AugmentedManifest, compression: Gzip}}"
    )

    assert (step.inputs["a"].distribution, step.inputs["a"].data_type) == ("replicate", "augmented_manifest")
    assert training("depends_on: [{step: a, when: Failed}]").depends_on[0].when == "failed"


@pytest.mark.parametrize("value", ["1", "1.5", "true", "null", "[a]", "{a: b}", "''"])
def test_text_is_written_as_text(value):
    (found,) = problems(f"steps:\n  s: {{type: fail, message: {value}}}")

    assert found.code == ("BF204" if value == "null" else "BF206")


def test_numbers_become_text_the_way_json_writes_them():
    step = training("hyperparameters: {a: 1, b: 1.5, c: true, d: x, e: 1e-5}, arguments: [1, false]")

    assert step.hyperparameters == {"a": "1", "b": "1.5", "c": "true", "d": "x", "e": "1e-05"}
    assert step.arguments == ["1", "false"]


# ------------------------------------------------------------------ shorthands


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("code: f.py", "code: {entry_point: f.py}"),
        ("image: 'sklearn:1.2-1'", "image: {framework: sklearn, version: 1.2-1}"),
        ("image: 'team/sklearn:1'", "image: {uri: 'team/sklearn:1'}"),
        ("image: 'my-own:1'", "image: {uri: 'my-own:1'}"),
        ("image: a, instance: ml.p3.2xlarge", "image: {uri: a}, instance: {type: ml.p3.2xlarge}"),
        ("outputs: [a, b]", "outputs: {a: {}, b: {}}"),
        ("outputs: {a: , b: s3://x/}", "outputs: {a: {}, b: {to: s3://x/}}"),
        ("outputs: {a: {json: m.json}}", "outputs: {a: {json: {a: m.json}}}"),
        ("cache: 30d", "cache: {expire_after: 30d}"),
        ("cache: true", "cache: {enabled: true}"),
        ("cache: false", "cache: {enabled: false}"),
        ("inputs: {a: s3://x}", "inputs: {a: {from: s3://x}}"),
        ("inputs: {a: '${step:t.model}'}", "inputs: {a: {from: '${step:t.model}'}}"),
        ("arguments: {k: v, force: null, n: [1, 2]}", "arguments: [--k, v, --force, --n, 1, 2]"),
        ("depends_on: t", "depends_on: [{step: t}]"),
        ("depends_on: [t, {step: u, when: any}]", "depends_on: [{step: t}, {step: u, when: any}]"),
        ("retry: {errors: [throttling], max_attempts: 3}", "retry: [{errors: [throttling], max_attempts: 3}]"),
    ],
)
def test_a_shorthand_means_its_long_form(short, long):
    assert processing(short) == processing(long)


def test_a_shorthand_of_training_means_its_long_form():
    assert training("spot: 1h") == training("spot: {wait: 1h}")


def test_a_shorthand_may_come_from_a_variable():
    text = "variables: {i: 'sklearn:1.2-1', o: [a]}\nsteps: {s: {type: processing, image: '${variables.i}', outputs: '${variables.o}'}}"  # noqa: E501

    assert pipeline(text).steps == {"s": processing("image: 'sklearn:1.2-1', outputs: [a]")}


def test_a_parameter_may_be_its_default():
    parameters = pipeline("parameters: {a: 1, b: , c: {type: string}}\nsteps: {s: {type: fail, message: x}}").parameters

    assert (parameters["a"].default, parameters["b"].default, parameters["c"].type) == (1, None, "string")


def test_one_condition_or_branch_needs_no_list():
    short = "steps: {c: {type: condition, if: 'true', then: f, else: g}}"

    assert pipeline(short) == pipeline(short.replace("'true'", "['true']").replace("f,", "[f],").replace("g}", "[g]}"))


# ------------------------------------------------------------------ places and words


@pytest.mark.parametrize("kind", ["processing", "training", "condition", "fail"])
def test_a_path_holds_the_users_keys_only(kind):
    """Step and field are called like the union's tag, which pydantic puts between them."""
    found = problems(f"steps:\n  {kind}: {{type: {kind}, {kind}: 1, depends_on: [{{{kind}: 1}}]}}")
    paths = {d.path for d in found}

    assert ("steps", kind, kind) in paths
    assert ("steps", kind, "depends_on", 0, kind) in paths
    assert ("steps", kind, "depends_on", 0) in paths


def test_every_problem_is_told():
    found = problems(
        "bogus: 1\nparallelism: 0\nsteps:\n  a: {type: trainig}\n  b: \n  c: {type: fail}\n  d: {type: training, code: 5}"  # noqa: E501
    )

    assert sorted(d.code for d in found) == ["BF201", "BF202", "BF203", "BF204", "BF206", "BF206"]


@pytest.mark.parametrize("defaults", ["5", "{by_type: 5}", "{by_type: {training: 5}}", "{by_type: [training]}"])
def test_defaults_that_would_be_ignored_are_told(defaults):
    assert [d.code for d in problems(f"defaults: {defaults}\nsteps: {{s: {{type: fail, message: x}}}}")] == ["BF206"]


def test_defaults_that_no_step_takes_are_told():
    text = "defaults: {bogus: 1, by_type: {trainig: {}, fail: {image: a}}}\nsteps: {s: {type: fail, message: x}}"

    assert [d.code for d in problems(text)] == ["BF203", "BF202", "BF203"]


def _models(model: type[BaseModel] = Config) -> set[type[BaseModel]]:
    return {model, *(m for sub in model.__subclasses__() for m in _models(sub))}


def test_every_field_has_a_description():
    assert {PipelineConfig, EnvironmentConfig, *STEP_MODELS} <= _models()
    without = [
        f"{m.__name__}.{n}" for m in _models() for n, f in m.model_fields.items() if not f.description and n != "type"
    ]
    assert without == []


def test_a_model_never_changes():
    config = pipeline("steps: {s: {type: fail, message: x}}")

    with pytest.raises(ValueError, match="frozen"):
        config.name = "other"


# ------------------------------------------------------------------ environment.yaml


def test_an_environment_has_fields_and_keys_of_the_team():
    text = "name: research\naccount: '111122223333'\nregion: eu-west-1\nteam: {x: 1}\ndeploy_from: [ci]\nlocked: [role]"
    environment = parse_environment(yaml.safe_load(text))

    assert environment.model_extra == {"team": {"x": 1}}
    assert environment.deploy_from == ["ci"]
    assert environment.registry == "mlflow"


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        ("x: 1", "BF204", ()),
        ("name: Research", "BF209", ("name",)),
        ("name: r\naccount: '1'", "BF209", ("account",)),
        ("name: r\naccount: 111122223333", "BF206", ("account",)),
        ("name: r\nregion: here", "BF209", ("region",)),
        ("name: r\ndeploy_from: [desk]", "BF205", ("deploy_from", 0)),
        ("name: r\nimage: {framework: sklearn}", "BF208", ("image",)),
        ("name: r\nnetwork: {subnets: [a]}", "BF208", ("network",)),
        ("name: r\nnetwork: {subnet: [a]}", "BF203", ("network", "subnet")),
    ],
)
def test_what_is_wrong_with_an_environment_is_told(text, code, path):
    with pytest.raises(PipelineError) as error:
        parse_environment(yaml.safe_load(text))

    assert [(d.code, d.path) for d in error.value.diagnostics] == [(code, path)]


def test_a_hyperparameter_may_be_a_list_which_becomes_json() -> None:
    step = {"type": "training", "hyperparameters": {"layers": [64, 32], "rate": 0.1, "warm": True}}
    config = parse({"steps": {"train": step}}, name="p")
    assert config.steps["train"].hyperparameters == {"layers": "[64, 32]", "rate": "0.1", "warm": "true"}


@pytest.mark.parametrize(
    ("field", "hint"),
    [
        ("script: a.py", "code: {entry_point: …}"),
        ("requirements: a.txt", "requirements: …}"),
        ("env: {A: b}", "environment_variables"),
        ("instance_type: ml.m5.large", "instance: {type: …}"),
        ("hyperparameters: {a: 1}", "use arguments"),
    ],
)
def test_a_word_of_another_tool_has_its_own_hint(field, hint):
    (found,) = problems(f"steps: {{s: {{type: processing, {field}}}}}")

    assert found.code == "BF203"
    assert hint in (found.hint or "")


def test_a_step_without_a_type_may_be_another_step_misspelt():
    (found,) = problems("steps: {train: {type: training}, trian: {code: a.py}}")

    assert (found.hint or "").endswith("or did you mean step 'train'?")
