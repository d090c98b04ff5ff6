"""What every container finds: folders, variables, the command that starts it."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzzflow import ir
from buzzflow.backends import contract

CODE = ir.Code("src/main.py", "python3", ir.Bundle("0" * 64, ()))
IMAGE = ir.ImageUri("img:1")


def processing(**fields):
    return ir.Step("extract", ir.Processing(ir.Job(IMAGE, **fields)))


def training(**fields):
    return ir.Step("train", ir.Training(ir.Job(IMAGE, **fields)))


def test_code_is_started_by_the_entry_script_of_its_bundle():
    start = ("/bin/sh", "/opt/ml/processing/input/code/entry.sh", "python3", "src/main.py")
    assert contract.container_entrypoint(processing(code=CODE)) == start
    assert contract.container_entrypoint(training(code=CODE))[1] == "/opt/ml/input/data/code/entry.sh"


def test_an_entrypoint_runs_exactly_so_and_without_one_the_image_decides():
    assert contract.container_entrypoint(processing(entrypoint=("a", "b"))) == ("a", "b")
    assert contract.container_entrypoint(processing()) is None


def test_a_processing_step_finds_its_inputs_and_outputs_by_name():
    step = processing(
        code=CODE,
        inputs=(ir.Input("train-set.1", "s3://b/t/", "/in"),),
        outputs=(ir.Output("card", "/out"),),
        environment=(("LEVEL", ir.ParameterReference("level", ir.Kind.TEXT)),),
    )
    assert contract.container_environment(step) == (
        ("BUZZFLOW_STEP", "extract"),
        ("BUZZFLOW_INPUTS", '["train-set.1"]'),
        ("BUZZFLOW_OUTPUTS", '["card"]'),
        ("BUZZFLOW_INPUT_TRAIN_SET_1", "/in"),
        ("BUZZFLOW_OUTPUT_CARD", "/out"),
        ("SM_CHANNEL_TRAIN_SET_1", "/in"),
        ("SM_CHANNELS", '["train-set.1"]'),
        ("LEVEL", ir.ParameterReference("level", ir.Kind.TEXT)),
    )


def test_a_training_step_finds_its_model_folder_whether_or_not_it_says_where_the_model_goes():
    variables = dict(contract.container_environment(training(code=CODE)))
    assert variables["BUZZFLOW_MODEL_DIR"] == variables["SM_MODEL_DIR"] == "/opt/ml/model"
    assert variables["BUZZFLOW_OUTPUTS"] == '["model"]'
    assert variables["BUZZFLOW_OUTPUT_MODEL"] == "/opt/ml/model"
    assert variables["SM_OUTPUT_DATA_DIR"] == "/opt/ml/output/data"
    declared = training(code=CODE, outputs=(ir.Output("model", "/opt/ml/model", "s3://b/m/"),))
    assert dict(contract.container_environment(declared)) == variables


def test_without_code_a_container_has_only_what_the_user_set():
    assert contract.container_environment(processing(environment=(("A", "1"),))) == (("A", "1"),)
    assert contract.promised_variables(processing()) == ()


def test_a_step_without_container_has_no_environment():
    with pytest.raises(ValueError, match="'f' runs no container"):
        contract.container_environment(ir.Step("f", ir.Fail("no")))


@given(st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True), unique=True, max_size=5))
def test_every_promised_variable_has_a_name_that_a_shell_takes_and_lists_are_json(names):
    step = processing(code=CODE, inputs=tuple(ir.Input(n, "s3://b/", f"/in/{n}") for n in names))
    variables = dict(contract.container_environment(step))
    assert all(re.fullmatch(r"[A-Z_][A-Z0-9_]*", name) for name in variables)
    assert json.loads(variables["BUZZFLOW_INPUTS"]) == json.loads(variables["SM_CHANNELS"]) == names
    assert all(name in variables for name, _ in contract.promised_variables(step))
