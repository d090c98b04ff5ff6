from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from buzzflow.config.steps import fields_by_type
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver import check
from buzzflow.loader import load as loader
from buzzflow.loader.load import LoadedConfig
from buzzflow.template import Reference, Template


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a repository; the tests stand in it."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "ctr").mkdir()
    monkeypatch.chdir(tmp_path / "ctr")
    return tmp_path / "ctr"


def load(text: str, *settings: str) -> LoadedConfig:
    Path("pipeline.yaml").write_text(text)
    return loader.load(Path(), fields=fields_by_type(), settings=settings)


def shown(value: Any) -> Any:
    """Return plain data with references as text."""
    match value:
        case dict():
            return {k: shown(v) for k, v in value.items()}
        case list():
            return [shown(v) for v in value]
        case Template():
            return str(value)
        case _:
            return value


def steps(text: str, *settings: str) -> dict[str, Any]:
    found = shown(load(text, *settings).data["steps"])
    assert isinstance(found, dict)
    return found


def problems(text: str, *settings: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(PipelineError) as error:
        load(text, *settings)
    return error.value.diagnostics


def problem(text: str, *settings: str) -> Diagnostic:
    (found,) = problems(text, *settings)
    return found


# ------------------------------------------------------------------ items and names


def names(foreach: str) -> list[str]:
    return list(steps(f"steps: {{s: {{type: raw, foreach: {foreach}}}}}"))


@pytest.mark.parametrize(
    ("foreach", "copies"),
    [
        ("[kr, us]", ["s-kr", "s-us"]),
        ("{region: [kr, us]}", ["s-kr", "s-us"]),
        ("{region: [kr, us], n: [1, 2]}", ["s-kr-1", "s-kr-2", "s-us-1", "s-us-2"]),
        ("{model: {vgg16: {lr: 0.1}, resnet: {lr: 0.2}}}", ["s-vgg16", "s-resnet"]),
        ("{case: [{name: a, lr: 1}, {key: b, lr: 2}]}", ["s-a", "s-b"]),
        ("[{region: [kr], size: [s, m]}, {region: [us]}]", ["s-kr-s", "s-kr-m", "s-us"]),
        ("[0.1, -1, true, 'a b', a.b.c]", ["s-0-1", "s--1", "s-true", "s-a-b", "s-a-b-c"]),
    ],
)
def test_copies_are_called_by_their_items_and_the_last_key_varies_fastest(foreach, copies):
    assert names(foreach) == copies


def test_copies_stand_where_the_step_stood():
    text = "steps: {a: {type: raw}, s: {type: raw, foreach: [x, y]}, b: {type: raw}}"

    assert list(steps(text)) == ["a", "s-x", "s-y", "b"]


def test_a_name_that_would_be_too_long_ends_in_a_hash_of_the_whole():
    long = "x" * 70

    first, second = names(f"[{long}a, {long}b]")

    assert len(first) == len(second) == 64
    assert first != second
    assert first.startswith("s-xxx")
    assert names(f"[{long}b, {long}a]") == [second, first]
    assert names(f"[{'x' * 62}]") == ["s-" + "x" * 62]


def test_null_takes_foreach_away():
    assert list(steps("steps: {s: {type: raw, foreach: null}}")) == ["s"]
    assert list(steps("steps: {s: {type: raw, foreach: [a, b]}}", "steps.s.foreach=null")) == ["s"]
    two = "steps: {s: {type: raw, foreach: {a: [1, 2], b: [3, 4]}}}"
    assert list(steps(two, "steps.s.foreach.b=null")) == ["s-1", "s-2"]
    data = "steps: {s: {type: raw, foreach: {m: {a: {x: 1}, b: {x: 2}}}}}"
    assert list(steps(data, "steps.s.foreach.m.a=null")) == ["s-b"]


def test_items_come_from_variables_and_the_environment(folder):
    (folder / "environment.yaml").write_text("name: research\nregions: [kr, us]\n")
    text = """
variables: {sizes: {s: {n: "${variables.small}"}, m: {n: 5}}, small: 2}
steps:
  s: {type: raw, foreach: {region: "${environment.regions}", size: "${variables.sizes}"}, n: "${each:size.n}"}
"""

    assert {name: s["n"] for name, s in steps(text).items()} == {"s-kr-s": 2, "s-kr-m": 5, "s-us-s": 2, "s-us-m": 5}


def test_the_step_of_the_user_is_what_layers_address():
    Path("base.yaml").write_text(
        "steps: {s: {type: training, foreach: {region: [kr, us]}, code: s.py, image: {uri: a/b:1}, timeout: 1h}}"
    )
    text = "extends: base.yaml\nsteps: {s: {image: sklearn:1.4-2, instance: {count: 2}}}\n"

    found = steps(text, "steps.s.instance.type=ml.m5.large", "steps.s.foreach.region=[de]")

    assert list(found) == ["s-de"]
    assert found["s-de"]["instance"] == {"count": 2, "type": "ml.m5.large"}
    assert found["s-de"]["image"] == {"framework": "sklearn", "version": "1.4-2"}
    assert "foreach" not in found["s-de"]


def test_defaults_reach_copies_by_their_type():
    text = """
defaults: {timeout: 2h, by_type: {training: {instance: {count: 3}}}}
steps:
  s: {type: training, code: s.py, foreach: [a, b]}
  g: {type: foreach, items: [x], steps: {t: {type: training, code: t.py}}}
"""

    for step in steps(text).values():
        assert (step["timeout"], step["instance"]) == ("2h", {"count": 3})


# ------------------------------------------------------------------ ${each:…}


@pytest.mark.parametrize(
    ("foreach", "written", "value"),
    [
        ("{n: [5]}", "${each:n}", 5),
        ("{n: [5]}", "n=${each:n}", "n=5"),
        ("{n: [true]}", "${each:n}", True),
        ("{n: [true]}", "n=${each:n}", "n=true"),
        ("{n: [0.5]}", "${each:n.key}", "0.5"),
        ("[kr]", "${each:}", "kr"),
        ("[kr]", "a-${each:}-${each:}-${ each: }", "a-kr-kr-kr"),
        ("{m: {vgg: {lr: 0.1, tags: {a: [1]}}}}", "${each:m}", "vgg"),
        ("{m: {vgg: {lr: 0.1, tags: {a: [1]}}}}", "${each:m.key}", "vgg"),
        ("{m: {vgg: {lr: 0.1, tags: {a: [1]}}}}", "${each:m.lr}", 0.1),
        ("{m: {vgg: {lr: 0.1, tags: {a: [1]}}}}", "${each:m.tags}", {"a": [1]}),
        ("{m: {vgg: {lr: 0.1, tags: {a: [1]}}}}", "${each:m.tags.a.0}", 1),
        ("{m: {low: 0.001}}", "${each:m}", 0.001),
        ("{m: {low: 0.001}}", "${each:m.key}", "low"),
        ("{c: [{name: a b, lr: 1}]}", "${each:c}/${each:c.lr}", "a b/1"),
        ("{k: [kr]}", "${variables.${each:k}}", "Seoul"),
        ("{k: [kr]}", "${variables.by.${each:k}.x}", 7),
        ("{k: [kr]}", "to ${variables.by.${each:k}.x}", "to 7"),
        ("{k: [kr]}", "${step:train-${each:k}.model}", "${step:train-kr.model}"),
        ("{k: ['a b']}", "${json:'t.report.${each:k}'}", "${json:t.report.a b}"),
        ("{k: [kr]}", "\\${each:k}", "${each:k}"),
        ("{k: [kr]}", "\\\\${each:k}", "\\kr"),
        ("{k: [kr]}", "\\${x} ${each:k}", "${x} kr"),
        ("{k: ['it''s {so}']}", "${each:k}, ${variables.kr}", "it's {so}, Seoul"),
        ("{k: {a: {day: '${param:day}', from: 's3://b/${param:day}/'}}}", "${each:k.day}", "${param:day}"),
        ("{k: {a: {day: '${param:day}', from: 's3://b/${param:day}/'}}}", "${each:k.from}x/", "s3://b/${param:day}/x/"),
        ("{k: {a: {v: '\\${x} $', w: null}}}", "${each:k.v}", "${x} $"),
    ],
)
def test_each_gives_the_item_of_the_copy(foreach, written, value):
    data = {
        "variables": {"kr": "Seoul", "by": {"kr": {"x": 7}}},
        "parameters": {"day": "1"},
        "steps": {"s": {"type": "raw", "foreach": yaml.safe_load(foreach), "v": written}},
    }

    (step,) = steps(yaml.safe_dump(data)).values()

    assert step["v"] == value
    assert type(step["v"]) is type(value)


def test_a_field_of_an_item_that_is_null_deletes():
    text = "steps: {s: {type: raw, foreach: {m: {a: {t: 1h}, b: {}, c: {t: null}}}, timeout: '${each:m.t}'}}"

    assert [d.code for d in problems(text)] == ["BF155"]
    assert steps(text.replace("b: {}, ", ""))["s-c"].get("timeout") is None


@pytest.mark.parametrize("value", ["a$", "a\\", "${", "x ${y}"])
def test_what_would_change_the_text_around_it_is_refused(value):
    data = {
        "steps": {"s": {"type": "raw", "foreach": {"k": {"a": {"v": value.replace("$", "\\$")}}}, "v": "${each:k.v}/"}}
    }
    data["steps"]["s"]["foreach"]["k"]["a"]["v"] = value.replace("${", "\\${")

    assert problem(yaml.safe_dump(data)).code == "BF156"


@pytest.mark.parametrize("value", ["a{b", "it's", "$", "a}", 'a"', "a=b", "a\\"])
def test_what_would_change_an_interpolation_around_it_is_refused(value):
    data = {"steps": {"s": {"type": "raw", "foreach": {"k": [value]}, "v": "${variables.${each:k}}"}}}

    assert problem(yaml.safe_dump(data)).code == "BF156"


def test_each_with_a_dot_is_told_to_take_a_colon():
    found = problem("steps: {s: {type: raw, foreach: {k: [a]}, v: '${each.k}'}}")

    assert (found.code, found.hint) == ("BF125", "write ${each:k}, with a colon")


def test_each_of_a_variable_is_told():
    text = "variables: {v: '${each:k}'}\nsteps: {s: {type: raw, foreach: {k: [a]}, v: '${variables.v}'}}"

    assert problem(text).code == "BF126"


def test_two_copies_tell_the_same_problem_once():
    text = """
steps:
  s: {type: raw, foreach: {k: [a, b, c]}, x: "${each:nothing}"}
"""
    found = problem(text)
    assert (found.code, found.span and found.span.line) == ("BF155", 3)

    assert problem(text.replace("each:nothing", "variables.nothing")).code == "BF125"


def test_a_value_of_a_copy_has_the_place_of_the_line_that_was_written():
    source = load("steps:\n  s:\n    type: raw\n    foreach: [a, b]\n    v: ${each:}\n    w: {x: 1}\n").source

    for copy in ("s-a", "s-b"):
        assert (place := source.find(("steps", copy, "v"))) is not None
        assert (place.line, place.column) == (5, 8)
        assert (key := source.find_key(("steps", copy, "w", "x"))) is not None
        assert key.line == 6


# ------------------------------------------------------------------ groups

GROUP = """
parameters: {days: "[]"}
steps:
  prep: {type: processing, code: prep.py, outputs: [data]}
  g:
    type: foreach
    items: {region: [kr, us]}
    steps:
      a:
        type: processing
        code: a.py
        image: {framework: sklearn, version: 1.4-2}
        outputs: {report: {json: r.json}}
        arguments: {region: "${each:region}"}
        inputs: {data: "${step:prep.outputs.data}"}
      good:
        type: condition
        if: ${json:a.report.auc} > 0.5
        then: b
      b: {type: training, code: b.py, depends_on: [a, prep], inputs: {x: "${step:a.outputs.report}"}}
"""


def test_in_a_group_a_sibling_is_the_copy_of_the_same_item():
    found = steps(GROUP)

    assert list(found) == ["prep", "a-kr", "a-us", "good-kr", "good-us", "b-kr", "b-us"]
    assert found["a-us"]["arguments"] == ["--region", "us"]
    assert found["a-us"]["inputs"]["data"] == {"from": "${step:prep.outputs.data}"}
    assert found["good-us"]["if"] == ["${json:a-us.report.auc} > 0.5"]
    assert found["good-us"]["then"] == ["b-us"]
    assert found["b-kr"]["depends_on"] == [{"step": "a-kr"}, {"step": "prep"}]
    assert found["b-kr"]["inputs"]["x"] == {"from": "${step:a-kr.outputs.report}"}


def test_layers_reach_the_steps_of_a_group_and_its_items():
    found = steps(GROUP, "steps.g.items.region=[de]", "steps.g.steps.b=null", "steps.g.steps.a.image=b/c:1",
                  "steps.g.steps.good.then=a")  # fmt: skip

    assert list(found) == ["prep", "a-de", "good-de"]
    assert found["a-de"]["image"] == {"uri": "b/c:1"}


def test_a_name_of_another_copy_is_accepted_inside_a_group_when_it_is_written_whole():
    text = GROUP.replace("${step:a.outputs.report}", "${step:a-us.outputs.report}")
    assert steps(text)["b-kr"]["inputs"]["x"] == {"from": "${step:a-us.outputs.report}"}

    found = problem(GROUP.replace("${step:a.outputs.report}", "${step:a.us.outputs.report}"))
    assert (found.code, found.hint) == ("BF157", "the copy of another item is ${step:a-us.outputs.report}")


def test_a_sibling_reached_through_a_variable_has_to_be_named_with_its_item():
    text = "variables: {r: '${step:a.outputs.report}'}" + GROUP.replace("${step:a.outputs.report}", "${variables.r}")

    assert problem(text).code == "BF157"
    one = text.replace("${step:a.outputs", "${step:a.us.outputs")
    assert steps(one)["b-kr"]["inputs"]["x"] == {"from": "${step:a-us.outputs.report}"}


def test_the_checks_of_a_registered_model_are_siblings_too():
    text = """
steps:
  g:
    type: foreach
    items: [kr, us]
    steps:
      quality: {type: quality_check, check: data_quality}
      register: {type: register_model, model_group: m, checks: {data_quality: quality}}
"""
    assert steps(text)["register-us"]["checks"] == {"data_quality": "quality-us"}


def test_the_bare_name_of_a_group_means_all_its_copies():
    more = "  last: {type: fail, message: x, depends_on: [{step: g, when: any}]}\n"

    assert steps(GROUP + more)["last"]["depends_on"] == [
        {"step": n, "when": "any"} for n in ("a-kr", "a-us", "good-kr", "good-us", "b-kr", "b-us")
    ]


def test_a_group_of_items_that_only_a_run_knows_is_laid_flat():
    text = """
parameters: {days: "[]"}
steps:
  first: {type: processing, code: a.py}
  fan:
    type: foreach
    items: ${param:days}
    max_concurrency: 4
    steps:
      body: {type: processing, code: b.py, arguments: ["${each:}", "day=${each:date}"], outputs: [o]}
  last: {type: processing, code: c.py, depends_on: fan}
"""
    loaded = load(text)
    found = shown(loaded.data["steps"])

    assert list(found) == ["first", "fan", "body", "last"]
    assert found["fan"] == {"type": "foreach", "items": "${param:days}", "max_concurrency": 4, "steps": ["body"]}
    arguments = loaded.data["steps"]["body"]["arguments"]
    assert arguments[0] == Template((Reference("each", ()),))
    assert arguments[1] == Template(("day=", Reference("each", ("date",))))
    assert found["body"]["outputs"] == {"o": {}}
    assert found["last"]["depends_on"] == [{"step": "fan"}]
    assert (place := loaded.source.find(("steps", "fan", "steps", 0))) is not None
    assert place.line == 10


def test_items_of_a_group_may_come_through_a_variable_that_holds_a_parameter():
    text = """
variables: {days: "${param:days}"}
parameters: {days: "[]"}
steps: {fan: {type: foreach, items: "${variables.days}", steps: {body: {type: processing, code: b.py}}}}
"""
    assert steps(text)["fan"]["items"] == "${param:days}"


def test_items_of_a_group_may_be_what_one_copy_gives():
    text = """
steps:
  list: {type: lambda, foreach: [kr, us]}
  fan: {type: foreach, items: "${step:list.kr.outputs.days}", steps: {body: {type: processing, code: b.py}}}
"""
    assert steps(text)["fan"]["items"] == "${step:list-kr.outputs.days}"


# ------------------------------------------------------------------ from outside

TRAIN = """
steps:
  train: {type: training, code: t.py, foreach: {model: [vgg16, resnet], size: [s, m]}, inputs: {d: s3://b/d/}}
"""


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("${step:train.vgg16-s.model}", "${step:train-vgg16-s.model}"),
        ("${step:train-vgg16-s.model}", "${step:train-vgg16-s.model}"),
        ("a ${json:train.resnet-m.r.a.0} b", "a ${json:train-resnet-m.r.a.0} b"),
        ("${json:'train.resnet-m.r.a=b'}", "${json:train-resnet-m.r.a=b}"),
        ("${variables.m}", "${step:train-vgg16-m.model}"),
        ("${step:train.vgg16-s}", "${step:train-vgg16-s}"),
        ("${json:'s3://b/train.vgg16-s.json','a'}", "${json:'s3://b/train.vgg16-s.json','a'}"),
    ],
)
def test_a_reference_from_outside_names_one_copy_by_its_key(written, means):
    use = f'  use: {{type: raw, v: "{written}"}}\nvariables: {{m: "${{step:train.vgg16-m.model}}"}}\n'

    assert steps(TRAIN + use)["use"]["v"] == means


@pytest.mark.parametrize(
    ("written", "code", "hint"),
    [
        ("${step:train.model}", "BF157", "write ${step:train.vgg16-s.model}; its copies: resnet-m, resnet-s, vgg16-m, vgg16-s"),  # noqa: E501
        ("${step:train.outputs.o}", "BF157", None),
        ("${step:train}", "BF157", None),
        ("${step:train.vg16-s.model}", "BF158", "did you mean 'vgg16-s'?"),
        ("${json:train.r.a}", "BF157", None),
        ("x ${step:train.*.model}", "BF159", None),
        ("${step:train.*.model}", "BF159", None),
        ("${json:train.*.r.a}", "BF159", None),
        ("${step:other.*.model}", "BF158", None),
        ("${variables.all}", "BF159", None),
        ("${step:g.a.model}", "BF157", None),
        ("${step:g.*.model}", "BF157", None),
    ],
)  # fmt: skip
def test_a_reference_that_names_no_copy_is_told(written, code, hint):
    more = "  g: {type: foreach, items: [x], steps: {inner: {type: training, code: t.py}}}\n"
    more += f'  use: {{type: raw, v: "{written}"}}\n'
    if written == "${variables.all}":
        more += 'variables: {all: "${step:train.*.model}"}\n'

    found = problem(TRAIN + more)

    assert found.code == code
    assert hint is None or found.hint == hint


@pytest.mark.parametrize(
    "source", ['"${step:train.*.model}"', '{from: "${step: train.*.model }", distribution: shard}']
)
def test_an_input_that_is_all_copies_becomes_one_input_for_each(source):
    text = (
        TRAIN + f"  use: {{type: processing, code: u.py, inputs: {{a: s3://b/a/, models: {source}, z: s3://b/z/}}}}\n"
    )

    inputs = steps(text)["use"]["inputs"]

    keys = ["vgg16-s", "vgg16-m", "resnet-s", "resnet-m"]
    assert list(inputs) == ["a", *(f"models-{k}" for k in keys), "z"]
    for key in keys:
        more = {"distribution": "shard"} if "shard" in source else {}
        assert inputs[f"models-{key}"] == {"from": f"${{step:train-{key}.model}}", "group": "models", "key": key} | more


def test_a_folder_of_an_input_that_is_all_copies_has_one_folder_for_each():
    source = '{from: "${step:train.*.model}", path: "/opt/ml/processing/input/${variables.x}/"}'
    text = TRAIN + f"  use: {{type: processing, code: u.py, inputs: {{models: {source}}}}}\nvariables: {{x: there}}\n"

    assert steps(text)["use"]["inputs"]["models-vgg16-s"] == {
        "from": "${step:train-vgg16-s.model}",
        "group": "models",
        "path": "/opt/ml/processing/input/there/vgg16-s",
    }


def test_an_item_of_a_list_that_is_all_copies_becomes_one_item_for_each():
    text = """
steps:
  train: {type: training, code: t.py, foreach: [a, b]}
  use:
    type: processing
    code: u.py
    arguments: {models: "${step:train.*.model}", auc: "${json:'train.*.report.auc'}", n: 1}
"""
    assert steps(text)["use"]["arguments"] == [
        "--models", "${step:train-a.model}", "${step:train-b.model}",
        "--auc", "${json:train-a.report.auc}", "${json:train-b.report.auc}",
        "--n", 1,
    ]  # fmt: skip


def test_a_gathering_step_inside_a_group_gathers_all_items():
    text = """
steps:
  g:
    type: foreach
    items: [x, y]
    steps:
      a: {type: training, code: t.py}
      b: {type: processing, code: u.py, inputs: {all: "${step:a.*.model}"}}
"""
    assert list(steps(text)["b-x"]["inputs"]) == ["all-x", "all-y"]


def test_a_bare_name_in_a_list_of_steps_means_all_copies():
    text = """
steps:
  s: {type: processing, code: s.py, foreach: [a, b]}
  t: {type: processing, code: s.py, foreach: [a]}
  c: {type: condition, if: "1 == 1", then: s, else: [t, other]}
  other: {type: processing, code: o.py, depends_on: [s, {step: t, when: failed}]}
"""
    found = steps(text)

    assert found["c"]["then"] == ["s-a", "s-b"]
    assert found["c"]["else"] == ["t-a", "other"]
    assert found["other"]["depends_on"] == [{"step": "s-a"}, {"step": "s-b"}, {"step": "t-a", "when": "failed"}]


# ------------------------------------------------------------------ limits and the whole line


def test_there_are_500_copies_at_most():
    text = "steps: {s: {type: raw, foreach: {a: [" + ", ".join(map(str, range(250))) + "], b: [x, y]}}%s}"

    assert len(steps(text % "")) == 500
    assert problem(text % ", t: {type: raw, foreach: [a]}").code == "BF152"


def test_a_product_beyond_all_measure_is_refused_at_once():
    keys = ", ".join(f"k{i}: [{', '.join(map(str, range(1000)))}]" for i in range(6))

    assert problem(f"steps: {{s: {{type: raw, foreach: {{{keys}}}}}}}").code == "BF152"


EACH, GATHERED = "'${each:k.v}', ", "'${step:t.*.x}', "
MANY = f"[{', '.join(map(str, range(200)))}]"


@pytest.mark.parametrize(
    "more",
    [
        f"s: {{type: raw, foreach: {MANY}, v: [{'a, ' * 500}]}}",
        f"s: {{type: raw, foreach: {MANY}, v: ['{'a' * 30_000}']}}",
        f"s: {{type: raw, foreach: {MANY}, v: '{'a' * 20_000}${{each:}}'}}",
        f"s: {{type: raw, foreach: ['{'a' * 20_000}'], v: '${{each:}}.'}}",
        f"s: {{type: raw, foreach: {{k: {{a: {{v: {MANY}}}}}}}, v: [{EACH * 300}]}}",
        f"t: {{type: raw, foreach: {MANY}}}, s: {{type: raw, depends_on: [{'t, ' * 300}]}}",
        f"t: {{type: raw, foreach: {MANY}}}, s: {{type: raw, v: [{GATHERED * 300}]}}",
    ],
    ids=["values", "characters", "long text", "long item", "data", "names", "gathered"],
)
def test_copies_that_hold_too_much_are_refused(more):
    assert {d.code for d in problems(f"steps: {{{more}}}")} == {"BF152"}


def test_the_whole_line_takes_copies_of_processing_training_and_condition_steps(folder):
    for script in ("prep.py", "a.py", "b.py", "t.py"):
        (folder / script).write_text("print()\n")
    text = (
        "defaults: {image: sklearn:1.4-2}"
        + GROUP
        + """
  train: {type: training, code: t.py, foreach: {size: {s: {n: 1}, m: {n: 2}}}, instance: {count: "${each:size.n}"}}
  stop:
    type: fail
    foreach: {why: [data], where: [kr, us]}
    message: "no ${each:why} in ${each:where}"
    depends_on: train
"""
    )
    Path("pipeline.yaml").write_text(text)

    pipeline = check(folder, backend="local").pipeline

    names = {s.name for s in pipeline.steps}
    assert names == {"prep", "a-kr", "a-us", "good-kr", "good-us", "b-kr", "b-us", "train-s", "train-m",
                     "stop-data-kr", "stop-data-us"}  # fmt: skip
    needs = {s.name: {n.step for n in s.needs} for s in pipeline.steps}
    assert needs["a-kr"] == {"prep"}
    assert needs["b-us"] >= {"a-us", "good-us"}
    assert needs["stop-data-kr"] == {"train-s", "train-m"}


def test_the_options_of_a_service_keep_their_shape():
    text = """
steps:
  train: {type: training, code: t.py, foreach: [a, b]}
  use: {type: raw, arguments: {models: "${step:train.*.model}", deep: [{all: ["${step:train.*.job_name}"]}]}}
"""
    assert steps(text)["use"]["arguments"] == {
        "models": ["${step:train-a.model}", "${step:train-b.model}"],
        "deep": [{"all": ["${step:train-a.job_name}", "${step:train-b.job_name}"]}],
    }
