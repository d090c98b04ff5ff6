from __future__ import annotations

import time
from typing import Any

import pytest

from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.loader.interpolate import interpolate
from buzzflow.loader.nodes import Node
from buzzflow.loader.yaml_reader import read_yaml
from buzzflow.template import Reference, Template


def answered(text: str, **given: Any) -> Node:
    return interpolate(read_yaml(text, "f"), **{"environ": {}, **given})


def plain(text: str, **given: Any) -> Any:
    return answered(text, **given).plain()


def problems(text: str, **given: Any) -> tuple[Diagnostic, ...]:
    with pytest.raises(PipelineError) as error:
        answered(text, **given)
    return error.value.diagnostics


# ------------------------------------------------------------------ what stays for the run


@pytest.mark.parametrize("form", ["param", "step", "json", "run"])
def test_a_run_time_reference_becomes_a_template(form):
    assert plain(f"a: ${{{form}:x.y}}")["a"] == Template((Reference(form, ("x.y",)),))


def test_text_around_references_stays_in_its_order():
    assert plain("b: x\na: s3://${param:p}/${b}/${step:s.outputs.o}-")["a"] == Template(
        ("s3://", Reference("param", ("p",)), "/x/", Reference("step", ("s.outputs.o",)), "-")
    )


def test_arguments_may_be_quoted_chosen_and_several():
    data = plain("""k: train\na: "${step:'s.x=1'}"\nb: "${step:${k}.model}"\nc: "${json:'s3://b/m.json','a.b'}"\n""")

    assert data["a"].only == Reference("step", ("s.x=1",))
    assert data["b"].only == Reference("step", ("train.model",))
    assert data["c"].only == Reference("json", ("s3://b/m.json", "a.b"))


def test_a_template_that_is_named_elsewhere_stays_a_template():
    data = plain("variables: {u: '${param:b}/x'}\na: 's3://${variables.u}'\nb: ['${variables.u}']\nc: ${b}\n")

    assert str(data["a"]) == "s3://${param:b}/x"
    assert data["c"] == data["b"] == [data["variables"]["u"]]


@pytest.mark.parametrize("argument", ["1", "true", "null", "1.5", "1e3", "", "${a}", "[a]", "{a: b}", "x,2"])
def test_a_name_is_text(argument):
    assert [d.code for d in problems(f"a: 1\nb: '${{param:{argument}}}'")] == ["BF127"]


@pytest.mark.parametrize("text", ["${v.${param:x}}", "${step:${param:x}.model}", "${param:${run:id}}", "${${param:x}}"])
def test_a_value_of_the_run_chooses_no_name(text):
    assert [d.code for d in problems(f"v: {{a: 1}}\nb: '{text}'")] == ["BF124"]


# ------------------------------------------------------------------ places


def test_an_answer_stands_where_the_reference_stands():
    root = answered("v:\n  a: 1\n  m: {k: [x]}\nb: ${v.a}\nc: ${v.m}\n")

    assert [(p, n.span.line) for p, n in root.leaves() if p[0] in ("b", "c")] == [(("b",), 4), (("c", "k", 0), 5)]


def test_every_text_that_cannot_be_answered_is_told_at_its_line():
    found = problems("a: ${x}\nb: ['${a}', '${b.c.d}']\nc: '${nothing:x}'\nd: '${'\ne: ${env}\n")

    assert [(d.code, d.path, d.span.line) for d in found if d.span] == [
        ("BF125", ("a",), 1),
        ("BF125", ("b", 1), 2),
        ("BF126", ("c",), 3),
        ("BF120", ("d",), 4),
        ("BF125", ("e",), 5),
    ]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("${param.x}", "${param:x}"), ("${HOME}", "oc.env:HOME"), ("${HOME:-x}", "oc.env:HOME,default"),
        ("$${a}x", "\\${"), ("${step:s.a=b}", "'s.a=b'"), ("${}", "between"), ("${a", "}"), ("${stpe:x}", "step"),
        ("${variabels.x}", "variables"), ("${environment.x}", "environment.yaml"), ("???", "--set b="),
    ],
)  # fmt: skip
def test_a_mistake_that_many_make_has_its_hint(text, hint):
    (problem,) = problems(f"variables: {{x: 1}}\nb: '{text}'")

    assert hint in (problem.hint or ""), problem


@pytest.mark.parametrize(
    "name", ["oc.decode", "oc.select", "oc.create", "oc.dict.keys", "oc.dict.values", "oc.deprecated"]
)
def test_of_omegaconfs_own_resolvers_only_the_process_variable_is_answered(name):
    assert [d.code for d in problems(f"a: 1\nb: '${{{name}:a}}'", allow_env=["a"], environ={"a": "x"})] == ["BF126"]


def test_a_container_stands_alone_never_inside_text():
    assert plain("a: {x: 1}\nb: ${a}")["b"] == {"x": 1}
    for value in ("{x: 1}", "[1]", "{}", "[]"):
        assert [d.code for d in problems(f"a: {value}\nb: x${{a}}")] == ["BF121"]


# ------------------------------------------------------------------ circles


@pytest.mark.parametrize(
    ("text", "circle"),
    [
        ("a: ${a}", "a -> a"),
        ("a: ${b}\nb: ${c}\nc: x${a}", "a -> b -> c -> a"),
        ("z: ${a.x}\na: {x: '${..b}'}\nb: ${a.x}", "a.x -> b -> a.x"),
        ("a: {self: '${a}'}", "a.self -> a.self"),
        ("a: ['${b}']\nb: ${a}", "a.0 -> b -> a.0"),
    ],
)
def test_a_circle_is_told_whole_and_once(text, circle):
    (problem,) = problems(text)

    assert problem.code == "BF122"
    assert problem.summary.endswith(f": {circle}")


# ------------------------------------------------------------------ budgets


def _told_quickly(text: str, codes: set[str]) -> None:
    started = time.process_time()
    try:
        answered(text)
        found = set()
    except PipelineError as e:
        found = {d.code for d in e.diagnostics}
        assert all(d.span is not None and d.path for d in e.diagnostics)
    assert time.process_time() - started < 2  # a second, and another for a machine that has other work
    assert found == codes


@pytest.mark.parametrize("n", range(5, 41))
@pytest.mark.parametrize("form", ["'${%s}${%s}'", "'${%s}\\\\${%s}'", "['${%s}', '${%s}']"])
def test_a_chain_that_doubles_ends_within_a_second(n, form):
    text = "a0: lol\n" + "\n".join(f"a{i}: " + form % (f"a{i - 1}", f"a{i - 1}") for i in range(1, n))

    started = time.process_time()
    try:
        answered(text)
        refused = set()
    except PipelineError as e:
        refused = {d.code for d in e.diagnostics}
        assert all(d.span is not None and d.path for d in e.diagnostics)
    assert time.process_time() - started < 2  # a second, and another for a machine that has other work
    assert refused <= {"BF123"}
    assert bool(refused) or n < 22


@pytest.mark.parametrize("n", [10, 100, 1000, 10_000])
def test_a_list_that_fans_out_ends_within_a_second(n):
    wide = f"a: [{', '.join(['x'] * n)}]\nb: [{', '.join(['${a}'] * min(n, 4000))}]".replace("${a}", "'${a}'")

    _told_quickly(wide, {"BF123"} if n * min(n, 4000) > 50_000 else set())


def test_long_text_named_often_ends_within_a_second():
    _told_quickly("a: " + "x" * 500_000 + "\nb: ['${a}', '${a}', '${a}']", {"BF123"})


def test_deep_nesting_of_braces_ends_within_a_second():
    for text in ("${" * 60 + "a" + "}" * 60, "${" * 8000, "${param:" * 40 + "}" * 40, "${param:" + "[" * 5000 + "}"):
        _told_quickly(f"a: 1\nb: '{text}'", {"BF123"})


def test_many_texts_that_need_the_parser_end_within_a_second():
    _told_quickly("v: 1\n" + "\n".join(f"k{i}: '${{v}}\\${{x}}'" for i in range(5000)), {"BF123"})
    _told_quickly("v: 1\n" + "\n".join(f"k{i}: ${{v}}" for i in range(10_000)), set())
    _told_quickly("v: 1\n" + "\n".join(f"k{i}: ${{v}}" for i in range(22_000)), {"BF123"})


def test_a_chain_has_a_length():
    assert plain("a0: 1\n" + "\n".join(f"a{i}: ${{a{i - 1}}}" for i in range(1, 300)))["a299"] == 1
    chain = "\n".join(f"a{i}: ${{a{i - 1}}}" for i in range(300, 0, -1)) + "\na0: 1"
    assert "BF123" in {d.code for d in problems(chain)}


# ------------------------------------------------------------------ process variables

CANARIES = {
    name: f"canary-{i}"
    for i, name in enumerate(
        (
            "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GITHUB_TOKEN", "SLACK_WEBHOOK", "PGPASSWORD",  # noqa: E501
            "DATABASE_URL", "MLFLOW_TRACKING_PASSWORD", "HOME", "PATH", "USER", "HF_TOKEN", "WANDB_API_KEY", "NPM_TOKEN",  # noqa: E501
            "KUBECONFIG", "SSH_AUTH_SOCK", "DOCKER_AUTH_CONFIG", "API_KEY", "SECRET", "PASSWORD",
        )
    )
}  # fmt: skip


@pytest.mark.parametrize("name", CANARIES)
def test_a_process_variable_that_is_not_allowed_never_appears(name, monkeypatch):
    for key, value in CANARIES.items():
        monkeypatch.setenv(key, value)
    for expression in (
        f"${{oc.env:{name}}}", f"${{oc.env:{name},x}}", f"x${{oc.env:'{name}'}}", "${oc.env:${n}}", f"${{env:{name}}}",
        f"${{oc.decode:${{oc.env:{name}}}}}", f"${{{name}}}", f"${{param:${{oc.env:{name}}}}}", f"${{oc.env:{name}${{e}}}}",  # noqa: E501
    ):  # fmt: skip
        root = read_yaml(f'n: {name}\ne: ""\na: "{expression}"', "f")
        with pytest.raises(PipelineError) as error:
            interpolate(root, allow_env=["ALLOWED"])
        assert "canary" not in repr(error.value.diagnostics)
        assert "canary" not in str(error.value)


def test_a_process_variable_that_is_allowed_is_answered():
    given = {"allow_env": ["GREETING", "UNSET"], "environ": {"GREETING": "hi ${b}", "B": "x"}}

    assert plain("a: ${oc.env:GREETING}\nc: '${oc.env:UNSET,5}'\nd: '${oc.env:UNSET,null}'", **given) == {
        "a": "hi ${b}",
        "c": 5,
        "d": None,
    }
    assert [d.code for d in problems("a: ${oc.env:UNSET}", **given)] == ["BF129"]


def test_a_process_variable_brings_no_placeholder_of_ours():
    given = {"allow_env": ["X"], "environ": {"X": "\ue0000\ue001"}}

    assert [d.code for d in problems("a: ${param:x}\nb: ${oc.env:X}", **given)] == ["BF129"]


@pytest.mark.parametrize("arguments", ["", "1", "A,b,c", "null", "[A]"])
def test_a_process_variable_has_a_name_and_perhaps_a_default(arguments):
    assert [d.code for d in problems(f"a: '${{oc.env:{arguments}}}'", allow_env=["A"])] == ["BF127"]


def test_the_declaration_of_a_parameter_is_not_its_value():
    (found,) = problems("parameters: {limit: 3}\na: ${parameters.limit}")

    assert (found.code, found.hint) == ("BF125", "write ${param:limit}")


@pytest.mark.filterwarnings("error")
def test_an_empty_argument_warns_nobody():
    assert isinstance(plain("a: ${param:,}")["a"], Template)
