"""What came of the attempts in sdk/attempts.py, in words; docs/conformance.md is made from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Defect:
    """One attempt: what the SDK does with a form, and what buzzflow does."""

    attempt: str
    sdk: str
    buzzflow: str


DEFECTS = (
    Defect(
        "automl",
        "`AutoMLStep` cannot be made: it names a method that its session no longer has",
        "`automl`, checked against CreateAutoMLJob; no golden of the SDK can exist",
    ),
    Defect(
        "dataset-definition",
        "`ProcessingInput(dataset_definition=…)` becomes an input with a name and nothing else, without a word",
        "`athena` and `redshift` of an input",
    ),
    Defect("feature-store", "an output into a feature group crashes", "`feature_group` of an output"),
    Defect(
        "check-network",
        "`CheckJobConfig(network_config=NetworkConfig(…))` crashes when the pipeline is compiled",
        "`network` of checks",
    ),
    Defect(
        "tuning-parameter",
        "`max_jobs` of a tuning refuses a parameter, which its signature allows",
        "`search.max_jobs: ${param:jobs}`",
    ),
    Defect("disk-parameter", "the disk of a training refuses a parameter", "`instance.volume_size_gb: ${param:disk}`"),
    Defect(
        "spot-parameter",
        "spot refuses a parameter",
        "not taken either: the longest wait depends on it and on the timeout",
    ),
    Defect("timeout-parameter", "the timeout of a training refuses a parameter", "`timeout: ${param:seconds}`"),
    Defect("role-parameter", "the role of a training refuses a parameter", "`role: ${param:role}`"),
    Defect(
        "lambda-by-name",
        "a function that is given by name is created in the account while the pipeline is only compiled",
        "buzzflow names functions and never creates one",
    ),
    Defect(
        "transform-by-name",
        "a model that is given by name is looked up in the account while the pipeline is only compiled",
        "compiles without AWS",
    ),
    Defect(
        "serverless-properties",
        "an EMR Serverless step has no properties to refer to",
        "`${step:spark.properties.jobRun.state}`, checked against EMR Serverless's own model",
    ),
    Defect(
        "fixed-json-address",
        "`JsonGet(s3_uri=…)` refuses a plain address: it must be a `Join`",
        "`${json:'s3://…','a.b'}`, with or without references, always written as a join",
    ),
    Defect(
        "undeclared-parameter", "a parameter that the pipeline does not declare is compiled", "BF304, with the line"
    ),
    Defect("bad-name", "a step called `A b!` is compiled", "BF209, with the line"),
    Defect("cycle", "two steps that wait for each other are compiled", "BF307, with the line"),
    Defect(
        "bad-values",
        "an instance type that does not exist, and an image that is in no registry, are compiled",
        "BF405 and BF404, with the line",
    ),
    Defect(
        "serving-code",
        "serving code beside a trained model becomes a further training, named by a random number, that holds a path "
        "of the machine on which the pipeline was compiled",
        "`code.inference` puts it beside the model when the training ends: no further job",
    ),
)
