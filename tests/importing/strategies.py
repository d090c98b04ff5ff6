"""Definitions as nobody writes them and many find them: random legal members, odd texts, nests, nulls."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Json = Any
ROLE = "arn:aws:iam::111122223333:role/example"
IMAGES = (
    "111122223333.dkr.ecr.eu-west-1.amazonaws.com/own:1",
    "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
    "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1",
)
ODD = (
    "no",
    "yes",
    "null",
    "~",
    "1.10",
    "012",
    "1:30",
    "1e5",
    ".5",
    "0x1F",
    "2026-01-01",
    " x",
    "x ",
    "# a",
    "a: b",
    "- a",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "`",
    "'",
    '"',
    "it's",
    'say "so"',
    "a\nb",
    "a\n",
    "é漢",
    "${x}",
    "$${x}",
    "\\${x}",
    "${oc.env:HOME}",
    "${param:day}",
    "a\\",
    "\\\\${",
    "{a}",
    "[a]",
    "a, b",
    "true",
    "5",
    "0.10",
    "0.2",
    "[1, 2]",
    '{"a": 1}',
    "{'a': 1}",
    "../../etc/passwd",
    "--a",
    "<<",
    "=",
    "\u2028",
    "\x07",
)
NAMES = ("a", "b", "c-1", "D_2", "e", "on", "true", "f", "g", "0")


def texts() -> st.SearchStrategy[str]:
    plain = st.text(st.characters(exclude_categories=("Cs", "Co")), min_size=1, max_size=12)
    return st.sampled_from(ODD) | plain.filter(lambda text: text != "???")


def numbers() -> st.SearchStrategy[Json]:
    return st.integers(1, 10_000)


def trees(depth: int = 2) -> st.SearchStrategy[Json]:
    leaves = texts() | st.integers(-9, 10**6) | st.booleans() | st.none() | st.floats(-1e6, 1e6)
    if not depth:
        return leaves
    inner = trees(depth - 1)
    return leaves | st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3)


class Maker:
    """Makes one definition: what earlier steps give, later ones refer to."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.parameters: dict[str, str] = {}
        self.gives: list[Json] = []  # placeholders
        self.reports: list[Json] = []
        self.names: list[str] = []

    def maybe(self, strategy: st.SearchStrategy[Json]) -> Json:
        return self.draw(st.none() | strategy)

    def some(self, **members: st.SearchStrategy[Json]) -> dict[str, Json]:
        """Some of the members, now and then with a null or something unknown."""
        found = {key: self.draw(value) for key, value in members.items() if self.draw(st.booleans())}
        if found and self.rarely():
            found[self.draw(st.sampled_from(sorted(found)))] = None
        return found

    def rarely(self) -> bool:
        return self.draw(st.integers(0, 40)) == 29  # no number that is tried more often than others

    def reference(self) -> Json:
        run = [{"Get": f"Execution.{name}"} for name in ("PipelineExecutionId", "StartDateTime", "PipelineName")]
        given = [{"Get": f"Parameters.{name}"} for name in self.parameters]
        odd = [{"Get": "Parameters.undeclared"}, {"Get": "Steps.nobody.Arn"}, {"Get": "Execution.Odd"}]
        return self.draw(st.sampled_from([*run, *given, *self.gives, *self.reports, *odd[: 3 * self.rarely()]]))

    def text(self, start: str = "") -> Json:
        """A literal, a reference, or a join of both."""
        kind = self.draw(st.integers(0, 5))
        if kind < 3:
            return start + self.draw(texts())
        if kind == 3:
            return self.reference()
        parts: list[Json] = [start] if start else []
        count = self.draw(st.integers(1, 3))
        parts += [self.reference() if self.draw(st.booleans()) else self.draw(texts()) for _ in range(count)]
        on = self.draw(st.sampled_from(["", "/", "-", " ", "${", "\\"]))
        return {"Std:Join": {"On": on, "Values": parts}}

    def uri(self) -> Json:
        folder = self.draw(st.sampled_from(["in", "in/", "out/x", "out/x/", "a b/c", "deep/er/still/"]))
        plain = f"s3://{self.draw(st.sampled_from(['bucket', 'other']))}/{folder}"
        return self.draw(st.sampled_from([plain, plain, plain, None])) or self.text("s3://bucket/")

    def number(self) -> Json:
        integers = [{"Get": f"Parameters.{name}"} for name, kind in self.parameters.items() if kind == "Integer"]
        return self.draw(st.integers(1, 90) | (st.sampled_from(integers) if integers else st.nothing()))

    def variables(self) -> Json:
        keys = self.draw(st.lists(st.sampled_from(["A", "B_1", "TOKEN", "no", "LOG_LEVEL"]), unique=True, max_size=3))
        return {key: self.text() for key in keys}

    # ---- parts of requests

    def machines(self, **more: st.SearchStrategy[Json]) -> Json:
        return {
            "InstanceType": self.draw(st.sampled_from(["ml.m5.xlarge", "ml.m5.large", "ml.g5.xlarge"])),
            "InstanceCount": self.number(),
            **self.some(VolumeSizeInGB=st.sampled_from([30, 50]), **more),
        }

    def network(self) -> Json:
        return self.some(
            EnableNetworkIsolation=st.booleans(),
            EnableInterContainerTrafficEncryption=st.booleans(),
            VpcConfig=st.just({"SecurityGroupIds": ["sg-0123456789abcdef0"], "Subnets": ["subnet-0123456789abcdef0"]}),
        )

    def tags(self) -> Json:
        return [{"Key": "team", "Value": self.draw(st.sampled_from(["ml", "no", "1"]))}]

    def processing(self, name: str) -> tuple[Json, Json]:
        inputs, outputs = self._inputs(), self._outputs()
        arguments = {
            "ProcessingResources": {"ClusterConfig": self.machines()},
            "AppSpecification": {
                "ImageUri": self.draw(st.sampled_from(IMAGES)),
                **self.some(
                    ContainerEntrypoint=st.just(["python3", "/opt/ml/processing/input/code/run.py"]),
                    ContainerArguments=st.just([self.text(), "--n", self.text()]),
                ),
            },
            **self.some(
                RoleArn=st.just(ROLE),
                ProcessingInputs=st.just(inputs),
                Environment=st.just(self.variables()),
                NetworkConfig=st.just(self.network()),
                StoppingCondition=st.just({"MaxRuntimeInSeconds": self.number()}),
                Tags=st.just(self.tags()),
                ExperimentConfig=st.just({}),
            ),
        }
        members: dict[str, Json] = {}
        if outputs and self.draw(st.booleans()):
            arguments["ProcessingOutputConfig"] = {"Outputs": outputs, **self.some(KmsKeyId=st.just("alias/k"))}
            for output in outputs:
                path = f"ProcessingOutputConfig.Outputs['{output['OutputName']}'].S3Output.S3Uri"
                self.gives.append({"Get": f"Steps.{name}.{path}"})
            if self.draw(st.booleans()):
                report = self.draw(st.sampled_from(["Report", outputs[0]["OutputName"]]))
                where = {"OutputName": outputs[0]["OutputName"], "FilePath": "m.json"}
                members["PropertyFiles"] = [{"PropertyFileName": report, **where}]
                path = self.draw(st.sampled_from(["auc", "a.b[0].c", "a['b c'].d", "no", "a.0"]))
                file = {"Get": f"Steps.{name}.PropertyFiles.{report}"}
                self.reports.append({"Std:JsonGet": {"PropertyFile": file, "Path": path}})
        self.gives.append({"Get": f"Steps.{name}.ProcessingJobArn"})
        return arguments, members

    def _inputs(self) -> list[Json]:
        names = self.draw(st.lists(st.sampled_from(["data", "code", "in-1", "x.csv"]), unique=True, max_size=3))
        inputs = []
        for name in names:
            s3 = {
                "S3Uri": self.uri(),
                "LocalPath": self.draw(
                    st.sampled_from([f"/opt/ml/processing/input/{name}", "/opt/ml/processing/x", "rel/x"])
                ),
                **self.some(
                    S3DataType=st.just("S3Prefix"),
                    S3InputMode=st.sampled_from(["File", "Pipe"]),
                    S3DataDistributionType=st.sampled_from(["FullyReplicated", "ShardedByS3Key"]),
                    S3CompressionType=st.just("None"),
                ),
            }
            inputs.append({"InputName": name, "S3Input": s3, **self.some(AppManaged=st.booleans())})
        return inputs

    def _outputs(self) -> list[Json]:
        names = self.draw(st.lists(st.sampled_from(["train", "test", "report"]), unique=True, max_size=2))
        return [
            {
                "OutputName": name,
                "S3Output": {
                    "S3Uri": self.uri(),
                    "LocalPath": f"/opt/ml/processing/{name}",
                    "S3UploadMode": "EndOfJob",
                },
                **self.some(AppManaged=st.booleans()),
            }
            for name in names
        ]

    def training(self, name: str) -> tuple[Json, Json]:
        self.gives += [
            {"Get": f"Steps.{name}.ModelArtifacts.S3ModelArtifacts"},
            {"Get": f"Steps.{name}.HyperParameters['a b']"},
            {"Get": f"Steps.{name}.TrainingJobName"},
        ]
        channel = {
            "S3DataType": "S3Prefix",
            "S3Uri": self.uri(),
            **self.some(S3DataDistributionType=st.just("FullyReplicated")),
        }
        keys = self.draw(
            st.lists(st.sampled_from(["depth", "a b", "sagemaker_program", "yes"]), unique=True, max_size=3)
        )
        return {
            "AlgorithmSpecification": {
                "TrainingInputMode": self.draw(st.sampled_from(["File", "FastFile"])),
                "TrainingImage": self.draw(st.sampled_from(IMAGES)),
                **self.some(MetricDefinitions=st.just([{"Name": "auc", "Regex": r"auc=([0-9\.]+)"}])),
            },
            "OutputDataConfig": {"S3OutputPath": self.uri(), **self.some(CompressionType=st.just("GZIP"))},
            "ResourceConfig": self.machines(KeepAlivePeriodInSeconds=st.sampled_from([60, 61])),
            **self.some(
                RoleArn=st.just(ROLE),
                StoppingCondition=st.sampled_from([{"MaxRuntimeInSeconds": 86400}, {"MaxRuntimeInSeconds": 90}]),
                HyperParameters=st.just({key: self.text() for key in keys}),
                InputDataConfig=st.just([{"ChannelName": "train", "DataSource": {"S3DataSource": channel}}]),
                Environment=st.just(self.variables()),
                CheckpointConfig=st.just({"S3Uri": "s3://bucket/checkpoints"}),
                DebugHookConfig=st.just({"S3OutputPath": "s3://bucket/debug", "CollectionConfigurations": []}),
                ProfilerConfig=st.just({"DisableProfiler": True}),
                Tags=st.just(self.tags()),
                EnableNetworkIsolation=st.booleans(),
                EnableManagedSpotTraining=st.booleans(),
            ),
        }, {}

    def model(self, name: str) -> tuple[Json, Json]:
        self.gives.append({"Get": f"Steps.{name}.ModelName"})
        container = {"Image": self.draw(st.sampled_from(IMAGES)), **self.some(Environment=st.just(self.variables()))}
        return {
            "PrimaryContainer": {**container, "ModelDataUrl": self.uri()},
            **self.some(ExecutionRoleArn=st.just(ROLE), EnableNetworkIsolation=st.booleans()),
        }, {}

    def register(self, _name: str) -> tuple[Json, Json]:
        container = {"Image": self.draw(st.sampled_from(IMAGES)), "ModelDataUrl": self.uri()}
        specification = {
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }
        return {
            "ModelPackageGroupName": "group",
            "InferenceSpecification": specification,
            **self.some(
                ModelApprovalStatus=st.sampled_from(["Approved", "PendingManualApproval"]),
                ModelMetrics=st.just({"Bias": {}, "Explainability": {}}),
                SkipModelValidation=st.just("None"),
                CustomerMetadataProperties=st.just({"a": "1", "b": self.text()}),
            ),
        }, {}

    def transform(self, _name: str) -> tuple[Json, Json]:
        return {
            "ModelName": self.draw(st.sampled_from([{"Get": "Parameters.day"}, "my-model", *self.gives])),
            "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": self.uri()}}},
            "TransformOutput": {
                "S3OutputPath": self.uri(),
                **self.some(AssembleWith=st.sampled_from(["Line", "None"])),
            },
            "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": self.number()},
            **self.some(MaxPayloadInMB=st.just(0), BatchStrategy=st.just("MultiRecord"), Tags=st.just(self.tags())),
        }, {}

    def call(self, name: str) -> tuple[Json, Json]:
        outputs = [{"OutputName": "o", "OutputType": self.draw(st.sampled_from(["String", "Float", "Boolean"]))}]
        self.gives.append({"Get": f"Steps.{name}.OutputParameters['o']"})
        members = {"FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:f", "OutputParameters": outputs}
        return {"a": self.draw(trees()), "b": self.text()}, {key: members[key] for key in members if not self.rarely()}

    def unknown(self, _name: str) -> tuple[Json, Json]:
        return {"Anything": self.draw(trees()), "B": self.text()}, self.some(More=trees())

    def fail(self, _name: str) -> tuple[Json, Json]:
        return {"ErrorMessage": self.text()}, {}

    def condition(self, depth: int) -> tuple[Json, Json]:
        return {
            "Conditions": [self.test(0) for _ in range(self.draw(st.integers(0, 3)))],
            "IfSteps": self.steps(depth + 1),
            "ElseSteps": self.steps(depth + 1),
        }, {}

    def test(self, depth: int) -> Json:
        match self.draw(st.integers(0, 5 if depth < 3 else 2)):
            case 0 | 1:
                kind = self.draw(st.sampled_from(["Equals", "LessThan", "GreaterThanOrEqualTo"]))
                return {"Type": kind, "LeftValue": self.operand(), "RightValue": self.operand()}
            case 2:
                values = [self.operand() for _ in range(self.draw(st.integers(0, 3)))]
                return {"Type": "In", "QueryValue": self.operand(), "Values": values}
            case 3:
                return {"Type": "Not", "Condition": self.test(depth + 1)}
            case _:
                return {"Type": "Or", "Conditions": [self.test(depth + 1) for _ in range(self.draw(st.integers(0, 3)))]}

    def operand(self) -> Json:
        return self.draw(st.integers(-5, 5) | st.floats(-2, 2) | st.booleans() | texts() | st.builds(self.reference))

    # ---- the whole

    def steps(self, depth: int = 0) -> list[Json]:
        found = []
        for _ in range(self.draw(st.integers(0 if depth else 1, 3))):
            free = [name for name in NAMES if name not in self.names]
            if not free:
                break
            found.append(self.step(free[0], depth))
        return found

    def step(self, name: str, depth: int) -> Json:
        self.names.append(name)
        before = [other for other in self.names if other != name]
        kinds = {
            "Processing": self.processing,
            "Training": self.training,
            "Model": self.model,
            "RegisterModel": self.register,
            "Transform": self.transform,
            "Lambda": self.call,
            "Fail": self.fail,
            "Unheard": self.unknown,
        }
        kind = self.draw(st.sampled_from([*kinds, *(["Condition"] if depth < 3 else [])]))
        arguments, members = self.condition(depth) if kind == "Condition" else kinds[kind](name)
        order = [*before, "nobody"] if self.rarely() else before
        retry = {"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": self.draw(st.integers(1, 30)), "BackoffRate": 2.0}
        return {
            "Name": name,
            "Type": kind,
            "Arguments": arguments,
            **members,
            **self.some(
                DependsOn=st.lists(st.sampled_from(order), max_size=2) if order else st.just([]),
                DisplayName=texts(),
                Description=texts(),
                CacheConfig=st.sampled_from(
                    [{"Enabled": True, "ExpireAfter": e} for e in ("P30D", "T12H", "30d", "PT1H")]
                    + [{"Enabled": False}]
                ),
                RetryPolicies=st.just([retry | self.some(IntervalSeconds=st.sampled_from([1, 60]))]),
            ),
        }

    def whole(self) -> Json:
        for name in self.draw(st.lists(st.sampled_from(["day", "n-1", "0", "true", "x"]), unique=True, max_size=4)):
            self.parameters[name] = self.draw(st.sampled_from(["String", "Integer", "Float", "Boolean"]))
        values = {
            "String": texts(),
            "Integer": st.integers(-(2**31), 2**31),
            "Float": st.floats(-9, 9) | st.integers(0, 9),
            "Boolean": st.booleans(),
        }
        parameters = [
            {
                "Name": name,
                "Type": kind,
                **self.some(DefaultValue=values[kind], EnumValues=st.lists(values[kind], max_size=2)),
            }
            for name, kind in self.parameters.items()
        ]
        steps = self.steps()
        usual = {
            "ExperimentName": {"Get": "Execution.PipelineName"},
            "TrialName": {"Get": "Execution.PipelineExecutionId"},
        }
        own = {"ExperimentName": "e", "TrialName": self.text()}
        return {
            "Version": self.draw(st.sampled_from(["2020-12-01", "2020-12-01", "2021-01-01"])),
            **self.some(
                Metadata=st.just({}) | trees(),
                PipelineExperimentConfig=st.sampled_from([usual, own, None]),
                MlflowConfig=st.none() | st.just({"MlflowExperimentName": "e"}),
                Extra=trees(),
            ),
            **({"Parameters": parameters} if parameters or self.draw(st.booleans()) else {}),
            "Steps": steps,
        }


@st.composite
def definitions(draw: st.DrawFn) -> Json:
    """A definition with steps of all usual types."""
    return Maker(draw).whole()
