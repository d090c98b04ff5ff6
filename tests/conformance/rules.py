"""The differences that are on purpose: where, what, and why. docs/conformance.md is made from them.

Every difference must be explained by exactly one of them, and each must explain one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.conformance.compare import ABSENT, Difference

Better = Literal["buzzflow", "equal", "the SDK"]
Side = Callable[[Any], bool]


def anything(_: Any) -> bool:
    """Whatever stands there."""
    return True


def nothing(value: Any) -> bool:
    """Nothing stands there."""
    return value is ABSENT


def said(wanted: Any) -> Side:
    """Return a test for *wanted* and nothing else."""
    return lambda value: isinstance(value, bool) == isinstance(wanted, bool) and value == wanted


@dataclass(frozen=True, slots=True)
class Rule:
    """One difference on purpose; in *where*, `*` is any text."""

    name: str
    where: tuple[str, ...]
    what: str
    why: str
    better: Better
    sdk: Side = anything
    ours: Side = anything
    defect: bool = False  # of the SDK, which does not do what it is told

    def explains(self, difference: Difference) -> bool:
        """Whether *difference* is this one."""
        patterns = (".*".join(re.escape(part) for part in place.split("*")) for place in self.where)
        at = any(re.fullmatch(pattern, difference.place) for pattern in patterns)
        return at and self.sdk(difference.sdk) and self.ours(difference.ours)


def _text_of_one(value: Any) -> bool:
    return isinstance(value, dict) and len(value.get("Std:Join", ())) == 1


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and "Get" in value


def _by_content(value: Any) -> bool:
    return isinstance(value, str) and re.search(r"/buzzflow/(code|files)/[0-9a-f]{64}/", value) is not None


def _own_variables(value: Any) -> bool:
    return isinstance(value, dict) and all(re.match("BUZZFLOW_|SM_", name) for name in value)


def _entry_script(value: Any) -> bool:
    return isinstance(value, list) and value[0] == "/bin/sh" and value[1].endswith("/code/entry.sh")


def _file(value: Any) -> bool:
    return value == "File"


def _below_the_run(value: Any) -> bool:
    match value:
        case {"Std:Join": [str(), {"Get": "Execution.PipelineExecutionId"}, str(rest)]}:
            return rest.endswith("/")
        case _:
            return False


RULES = (
    Rule(
        "entry script",
        (
            "Processing.Arguments.AppSpecification.ContainerEntrypoint",
            "Training.Arguments.AlgorithmSpecification.ContainerEntrypoint",
        ),
        "buzzflow's entry script starts the code; the SDK starts a single processing script directly, a folder by "
        "`runproc.sh`, a training by `sm_train.sh`",
        "one contract for scripts in every step type and in local runs; a POSIX shell is enough, where the SDK's "
        "drivers need bash and pip",
        "buzzflow",
        ours=_entry_script,
    ),
    Rule(
        "no driver",
        (
            "Processing.Arguments.ProcessingInputs[entrypoint]",
            "Training.Arguments.InputDataConfig[sm_drivers]",
            "Training.Arguments.AlgorithmSpecification.ContainerArguments",
        ),
        "no input or channel for the SDK's drivers, and no arguments that start them",
        "the entry script travels with the code; one input of ten, and 24 uploads a training, less",
        "buzzflow",
        ours=nothing,
    ),
    Rule(
        "code by content",
        (
            "Processing.Arguments.ProcessingInputs[code].S3Input.S3Uri",
            "Training.Arguments.InputDataConfig[*].DataSource.S3DataSource.S3Uri",
            "ClarifyCheck.Arguments.ProcessingInputs[analysis_config].S3Input.S3Uri",
        ),
        "code, notebooks and analysis files lie at an address made of their content; the SDK's has a time in it "
        "(folders, trainings, notebooks), hashes the path, too (scripts), or is below the output, with `//` (Clarify)",
        "the same code is the same address on every machine and day, so a cached step stays cached, and two pipelines "
        "cannot overwrite each other's files",
        "buzzflow",
        ours=_by_content,
    ),
    Rule(
        "path without a slash",
        ("Processing.Arguments.ProcessingInputs[code].S3Input.LocalPath",),
        "`/opt/ml/processing/input/code` without a slash at its end",
        "the same folder, spelled as for every other input",
        "equal",
        sdk=said("/opt/ml/processing/input/code/"),
        ours=said("/opt/ml/processing/input/code"),
    ),
    Rule(
        "variables for scripts",
        ("Processing.Arguments.Environment", "Training.Arguments.Environment"),
        "`BUZZFLOW_…` and `SM_…` variables with the names and folders of inputs and outputs; the SDK sets them in the "
        "container of trainings, and none in processing",
        "a script finds its data in the same way in every step type and in local runs",
        "buzzflow",
        sdk=nothing,
        ours=_own_variables,
    ),
    Rule(
        "false is said",
        (
            "Processing.Arguments.NetworkConfig.EnableInterContainerTrafficEncryption",
            "Training.Arguments.EnableInterContainerTrafficEncryption",
            "Training.Arguments.EnableNetworkIsolation",
        ),
        "a step with `network` says both switches, also where they are false; the SDK leaves out what it was not told",
        "false is the service's default; who reads the definition sees it",
        "equal",
        sdk=nothing,
        ours=said(False),
    ),
    Rule(
        "mode of every channel",
        (
            "Training.Arguments.InputDataConfig[*].InputMode",
            "Tuning.Arguments.TrainingJobDefinition.InputDataConfig[*].InputMode",
        ),
        "every channel says its input mode; the SDK says none for file systems and in tunings",
        "it is the job's `TrainingInputMode`, which the service would take anyway",
        "equal",
        sdk=nothing,
        ours=_file,
    ),
    Rule(
        "mode of the job",
        ("Training.Arguments.InputDataConfig[*].InputMode",),
        "`input_mode` of a training reaches its channels; the SDK writes `File` into each and so overrides its own "
        "`training_input_mode`",
        "the mode that was asked for",
        "buzzflow",
        sdk=_file,
        ours=said("FastFile"),
        defect=True,
    ),
    Rule(
        "security of tunings",
        (
            "Tuning.Arguments.TrainingJobDefinition.ResourceConfig.VolumeKmsKeyId",
            "Tuning.Arguments.TrainingJobDefinition.EnableInterContainerTrafficEncryption",
            "Tuning.Arguments.TrainingJobDefinition.EnableNetworkIsolation",
        ),
        "the disk's key, encrypted traffic and network isolation hold for the trainings of a tuning; the SDK drops all "
        "three without a word",
        "a job must not be less protected than its author said",
        "buzzflow",
        sdk=nothing,
        defect=True,
    ),
    Rule(
        "numbers as text",
        ("Training.Arguments.HyperParameters.*",),
        "a parameter that is a number is made text where the service wants text; the SDK sends the bare reference "
        "unless its author calls `to_string()`",
        "hyperparameters are text in CreateTrainingJob",
        "buzzflow",
        sdk=_is_reference,
        ours=_text_of_one,
    ),
    Rule(
        "nothing for nothing",
        ("Training.Arguments.HyperParameters", "Pipeline.MlflowConfig"),
        "no `HyperParameters: {}` and no `MlflowConfig: null`",
        "a member without a value says nothing",
        "equal",
        sdk=lambda value: value in ({}, None),
        ours=nothing,
    ),
    Rule(
        "no empty serving variables",
        (
            "RegisterModel.Arguments.InferenceSpecification.Containers[*].Environment.SAGEMAKER_PROGRAM",
            "RegisterModel.Arguments.InferenceSpecification.Containers[*].Environment.SAGEMAKER_SUBMIT_DIRECTORY",
            "RegisterModel.Arguments.InferenceSpecification.Containers[*].Environment.SAGEMAKER_CONTAINER_LOG_LEVEL",
            "RegisterModel.Arguments.InferenceSpecification.Containers[*].Environment.SAGEMAKER_REGION",
        ),
        "a registered model has the variables that its author gave; the SDK adds four, two of them empty, which it "
        "does not add to the same model in a Model step or to one of several containers",
        "the same container gets the same variables, however it is deployed",
        "buzzflow",
        ours=nothing,
        defect=True,
    ),
    Rule(
        "the model of the best training",
        ("Lambda.Arguments.model",),
        "`${step:tune.best.model}` asks the tuning for its output path; `get_top_model_s3_uri` puts it together from a "
        "bucket and a prefix that its author repeats",
        "it stays right when the output path changes",
        "buzzflow",
        ours=lambda value: "OutputDataConfig.S3OutputPath" in json.dumps(value),
    ),
    Rule(
        "job name of a notebook",
        ("Training.Arguments.TrainingJobName",),
        "the service chooses the job's name, as for every other step; the SDK sends one for notebooks only",
        "a run cannot meet the name of an earlier one",
        "equal",
        ours=nothing,
    ),
    Rule(
        "retries of a notebook",
        ("Training.Arguments.RetryStrategy",),
        "no `RetryStrategy` within the job: `retry` of the step does that, and `arguments_patch` where both are wanted",
        "one place says how often work is tried",
        "equal",
        sdk=said({"MaximumRetryAttempts": 1}),
        ours=nothing,
    ),
    Rule(
        "folder of a run",
        (
            "Training.Arguments.OutputDataConfig.S3OutputPath",
            "Tuning.Arguments.TrainingJobDefinition.OutputDataConfig.S3OutputPath",
            "Transform.Arguments.TransformOutput.S3OutputPath",
            "QualityCheck.Arguments.ProcessingOutputConfig.Outputs[*].S3Output.S3Uri",
        ),
        "an output without an address goes to `<bucket>/<environment>/<pipeline>/<run>/<step>/<output>/`, whatever "
        "makes it; the SDK has a folder of the run for some types, one for all runs of a name for trainings and "
        "tunings, and one with a time in it for checks",
        "one layout, in which no run overwrites another's results, apart for each environment",
        "buzzflow",
        ours=_below_the_run,
    ),
    Rule(
        "a day to train",
        (
            "Training.Arguments.StoppingCondition.MaxRuntimeInSeconds",
            "Tuning.Arguments.TrainingJobDefinition.StoppingCondition.MaxRuntimeInSeconds",
        ),
        "a training without a `timeout` may take 24 hours, the service's own default; the SDK stops it after one",
        "a long training is not lost because nobody thought of a limit",
        "buzzflow",
        sdk=said(3600),
        ours=said(86_400),
    ),
)
