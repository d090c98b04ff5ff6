import pytest

from buzzflow import ir
from buzzflow.lower.names import Names, StepNames, Unknown, look_up
from buzzflow.template import Reference

NAMES = Names(
    {"date": ir.Kind.TEXT},
    {
        "extract": StepNames(
            "processing", dict.fromkeys(("train", "test"), ir.Kind.URI), ("m", "m.deep", "m.deep.er", "other")
        ),
        "train": StepNames("training", metrics=("auc", "val.auc")),
        "stop": StepNames("fail"),
    },
)


def find(form: str, *arguments: str) -> ir.Reference:
    return look_up(Reference(form, arguments), NAMES)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("argument", "report", "path"),
    [
        ("extract.m.auc", "m", ("auc",)),
        ("extract.m.deeper.auc", "m", ("deeper", "auc")),
        ("extract.m.deep.auc", "m.deep", ("auc",)),
        ("extract.m.deep.er.a.0.b", "m.deep.er", ("a", "0", "b")),
        ("extract.m.deep.error", "m.deep", ("error",)),
        ("extract.m['k.x'][0].a", "m", ("k.x", "0", "a")),
    ],
)
def test_the_longest_declared_report_name_wins(argument, report, path):
    assert find("json", argument) == ir.JsonReference("extract", report, path)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("A", ("A",)),
        ("A.0.B", ("A", "0", "B")),
        ("A[0].B", ("A", "0", "B")),
        ('A[0].B["K.x"]', ("A", "0", "B", "K.x")),
        ("A['k-1 é'].B_c", ("A", "k-1 é", "B_c")),
    ],
)
def test_a_describe_path_has_dots_brackets_and_quotes(path, parts):
    assert find("step", f"extract.properties.{path}") == ir.DescribeReference("extract", parts)


def test_a_reference_names_what_a_step_declares():
    assert find("step", "extract.outputs.train") == ir.OutputReference("extract", "train")
    assert find("step", "train.model") == ir.PropertyReference("train", "model", ir.Kind.ARTIFACT)
    assert find("step", "train.metrics.val.auc") == ir.PropertyReference("train", "metrics.val.auc", ir.Kind.NUMBER)
    assert find("param", "date") == ir.ParameterReference("date", ir.Kind.TEXT)
    assert find("run", "id") == ir.RunReference("id")


@pytest.mark.parametrize(
    ("form", "argument", "code", "hint"),
    [
        ("param", "dat", "BF304", "'date'"), ("run", "ids", "BF306", "'id'"), ("step", "extrct.x", "BF301", "'extract'"),  # noqa: E501
        ("step", "extract.outputs.tran", "BF302", "'train'"), ("step", "extract.outputs", "BF302", "outputs"),
        ("step", "stop.outputs.x", "BF302", "no outputs"), ("step", "train.outputs.model", "BF302", "train.model"),
        ("step", "extract.train", "BF303", "extract.outputs.train"), ("step", "train", "BF303", "train.model"),
        ("step", "stop", "BF303", "properties"), ("step", "stop.x", "BF303", "offers nothing"),
        ("step", "train.metrics.acu", "BF303", "'auc'"), ("step", "extract.metrics.a", "BF303", "declare"),
        ("step", "train.modle", "BF303", "'model'"), ("step", "train.properties", "BF303", "properties.Model"),
        ("step", "train.properties.A..B", "BF303", "properties.Model"), ("step", "train.properties.A[", "BF303", "properties"),  # noqa: E501
        ("json", "extract.othr.x", "BF305", "'other'"), ("json", "extract.m", "BF305", "extract.m.name"),
        ("json", "train.m.x", "BF305", "train.metrics"), ("json", "extract.mx", "BF305", ""), ("json", "", "BF301", ""),
    ],
)  # fmt: skip
def test_a_reference_to_nothing_has_its_hint(form, argument, code, hint):
    with pytest.raises(Unknown) as error:
        find(form, argument)

    assert error.value.code == code
    assert hint in (error.value.hint or "")


@pytest.mark.parametrize("form", ["param", "run", "step", "json"])
def test_a_reference_has_one_argument(form):
    with pytest.raises(Unknown) as error:
        find(form, "a", "b")

    assert error.value.code == "BF300"
