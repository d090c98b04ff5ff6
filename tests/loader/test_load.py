from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buzzflow.config.steps import fields_by_type
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.loader import load as loader
from buzzflow.loader.files import find_pipeline, pipeline_name
from buzzflow.loader.load import LoadedConfig

STEP = "steps: {s: {type: processing, code: s.py}}\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with three environments' folders; the tests stand in it."""
    (tmp_path / ".git").mkdir()
    for folder in ("prod/ads", "research/ctr", "base"):
        (tmp_path / "projects" / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


CTR = Path("projects/research/ctr")
ADS = Path("projects/prod/ads")


def write(file: Path | str, text: str | bytes) -> Path:
    path = Path(file)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def load(target: Path = CTR, *settings: str, local: bool = False) -> LoadedConfig:
    return loader.load(target, fields=fields_by_type(), settings=settings, local=local)


def step(*settings: str, target: Path = CTR, local: bool = False, name: str = "s") -> dict[str, Any]:
    found = load(target, *settings, local=local).data["steps"][name]
    assert isinstance(found, dict)
    return found


def problems(target: Path = CTR, *settings: str, local: bool = False) -> tuple[Diagnostic, ...]:
    with pytest.raises(PipelineError) as error:
        load(target, *settings, local=local)
    return error.value.diagnostics


def problem(target: Path = CTR, *settings: str, local: bool = False) -> Diagnostic:
    (found,) = problems(target, *settings, local=local)
    return found


# ------------------------------------------------------------------ layers


def layer(name: str, keys: str, **more: str) -> None:
    """Write a file whose steps.s.tags has *keys*, each with the file's name."""
    tags = ", ".join(f"{k}: {name}" for k in keys)
    head = "".join(f"{k}: {v}\n" for k, v in more.items())
    write(CTR / name, f"{head}steps: {{s: {{type: processing, code: s.py, tags: {{{tags}}}}}}}\n")


def test_each_layer_lies_over_the_one_before(root):
    layer("grandparent.yaml", "abcdefg")
    layer("left.yaml", "bcdefg", extends="grandparent.yaml")
    layer("right.yaml", "cdefg")
    layer("pipeline.yaml", "defg", extends="[left.yaml, right.yaml]")
    layer("pipeline.local.yaml", "efg")

    tags = step("steps.s.tags.f=first", "steps.s.tags.g=first", "steps.s.tags.g=second", local=True)["tags"]

    assert tags == {
        "a": "grandparent.yaml", "b": "left.yaml", "c": "right.yaml", "d": "pipeline.yaml", "e": "pipeline.local.yaml",
        "f": "first", "g": "second",
    }  # fmt: skip


def test_the_local_layer_is_read_only_when_asked_for(root):
    layer("pipeline.yaml", "a")
    layer("pipeline.local.yaml", "a")

    assert step()["tags"] == {"a": "pipeline.yaml"}
    assert CTR / "pipeline.local.yaml" not in load().files
    assert step(local=True)["tags"] == {"a": "pipeline.local.yaml"}


def test_a_parent_on_the_right_wins_over_all_of_the_left(root):
    layer("old.yaml", "ab")
    layer("left.yaml", "a")
    layer("right.yaml", "", extends="old.yaml")
    layer("pipeline.yaml", "", extends="[left.yaml, right.yaml]")

    assert step()["tags"] == {"a": "old.yaml", "b": "old.yaml"}


def test_maps_merge_and_lists_and_scalars_replace(root):
    write(
        CTR / "base.yaml",
        "steps: {s: {type: processing, code: s.py, arguments: [a, b], instance: {type: x, count: 2}}}",
    )
    write(CTR / "pipeline.yaml", "extends: base.yaml\nsteps: {s: {arguments: [c], instance: {count: 3}}}")

    assert step() == {
        "type": "processing",
        "code": {"entry_point": "s.py"},
        "arguments": ["c"],
        "instance": {"type": "x", "count": 3},
    }


@pytest.mark.parametrize(
    ("low", "high", "result"),
    [
        ("image: 'sklearn:1.2-1'", "image: a/b:1", {"image": {"uri": "a/b:1"}}),
        ("image: a/b:1", "image: {framework: pytorch, version: '2'}", {"image": {"framework": "pytorch", "version": "2"}}),  # noqa: E501
        ("code: {entry_point: a.py, requirements: r.txt}", "code: b.py", {"code": {"entry_point": "b.py"}}),
        ("inputs: {x: {from: s3://a, path: /p}}", "inputs: {x: {athena: q}}", {"inputs": {"x": {"path": "/p", "athena": "q"}}}),  # noqa: E501
        ("inputs: {x: {feature_store: f}}", "inputs: {x: s3://b}", {"inputs": {"x": {"from": "s3://b"}}}),
        ("inputs: {x: {from: s3://a}}", "inputs: {x: {path: /p}}", {"inputs": {"x": {"from": "s3://a", "path": "/p"}}}),
        ("outputs: {x: s3://a/}", "outputs: {x: {feature_group: g}}", {"outputs": {"x": {"feature_group": "g"}}}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["step", "defaults", "by_type"])
def test_an_alternative_is_replaced_whole(root, low, high, result, place):
    match place:
        case "step":
            base, top = f"steps: {{s: {{type: processing, {low}}}}}", f"steps: {{s: {{{high}}}}}"
        case "defaults":
            base, top = f"defaults: {{{low}}}", f"defaults: {{{high}}}\nsteps: {{s: {{type: processing}}}}"
        case _:
            base = f"defaults: {{by_type: {{processing: {{{low}}}}}}}"
            top = f"defaults: {{by_type: {{processing: {{{high}}}}}}}\nsteps: {{s: {{type: processing}}}}"
    write(CTR / "base.yaml", base)
    write(CTR / "pipeline.yaml", "extends: base.yaml\n" + top)

    assert step() == {"type": "processing", **result}


def test_a_variable_that_a_layer_above_changes_is_seen_below(root):
    write(CTR / "base.yaml", "variables: {n: 1, deep: {a: low, b: low}}\n" + STEP)
    write(
        CTR / "pipeline.yaml",
        "extends: base.yaml\nsteps: {s: {tags: {n: 'n${variables.n}', d: '${variables.deep.a}'}}}",
    )

    assert step()["tags"] == {"n": "n1", "d": "low"}
    assert step("variables.n=2", "variables.deep.a=high")["tags"] == {"n": "n2", "d": "high"}


def test_null_deletes_the_key_and_the_defaults_below_it(root):
    write(
        CTR / "pipeline.yaml",
        "defaults: {timeout: 1h, instance: {count: 2}, by_type: {processing: {cache: 1d}}}\n" + STEP,
    )

    assert step() == {
        "timeout": "1h", "instance": {"count": 2}, "cache": {"expire_after": "1d"}, "type": "processing",
        "code": {"entry_point": "s.py"},
    }  # fmt: skip
    bare = step("steps.s.timeout=null", "steps.s.instance=null", "steps.s.cache=null")
    assert bare == {"type": "processing", "code": {"entry_point": "s.py"}}


def test_null_deletes_a_step(root):
    write(CTR / "base.yaml", "steps: {s: {type: fail, message: x}, t: {type: fail, message: x}}")
    write(CTR / "pipeline.yaml", "extends: base.yaml\nsteps: {t: null}")

    assert list(load().data["steps"]) == ["s"]


def test_what_layers_replaced_is_remembered(root):
    write(CTR / "base.yaml", "steps:\n  s: {type: processing, timeout: 1h}\n")
    write(CTR / "pipeline.yaml", "extends: base.yaml\nsteps:\n\n  s: {timeout: 2h}\n")
    source = load(CTR, "steps.s.timeout=3h").source

    replaced = [(s.file, s.line) for s in source.replaced(("steps", "s", "timeout"))]
    assert replaced == [(str(CTR / "base.yaml"), 2), (str(CTR / "pipeline.yaml"), 4)]
    span = source.find(("steps", "s", "timeout"))
    assert span is not None
    assert span.file == "--set steps.s.timeout"


@pytest.mark.parametrize("setting", ["a", "=1", "a..b=1", ".=1", "", "a.=1"])
def test_a_setting_is_a_path_and_a_value(root, setting):
    write(CTR / "pipeline.yaml", STEP)

    assert problem(CTR, setting).code == "BF114"


def test_a_setting_is_read_as_yaml(root):
    write(CTR / "pipeline.yaml", STEP)

    assert step("steps.s.arguments=[a, {b: c}]")["arguments"] == ["a", {"b": "c"}]
    assert step("steps.s.tags.a=")["tags"] == {"a": ""}
    assert step("steps.s.tags.a=x=y")["tags"] == {"a": "x=y"}
    assert step("variables.v=7", "steps.s.tags.a=${variables.v}")["tags"] == {"a": 7}
    assert [problem(CTR, f"a={v}").code for v in ("no", "!!x y", "[", "a: b: c")] == [
        "BF107",
        "BF109",
        "BF101",
        "BF101",
    ]
    assert problem(CTR, "a=\udcff").code == "BF101"


# ------------------------------------------------------------------ include and extends


def test_include_joins_steps(root):
    write(CTR / "more.yaml", "steps: {t: {type: fail, message: x}}")
    write(CTR / "pipeline.yaml", "include: more.yaml\n" + STEP)

    assert list(load().data["steps"]) == ["s", "t"]
    assert "include" not in load().data


def test_a_step_is_defined_in_one_file(root):
    write(CTR / "more.yaml", "\nsteps:\n  s: {type: fail, message: x}\n")
    write(CTR / "pipeline.yaml", "include: [more.yaml]\n" + STEP)

    found = problem()
    assert found.code == "BF115"
    assert f"{CTR}/pipeline.yaml:2" in found.summary
    assert found.span is not None
    assert (found.span.file, found.span.line) == (str(CTR / "more.yaml"), 3)


def test_an_included_file_has_steps_only(root):
    write(CTR / "more.yaml", "steps: {}\nvariables: {a: 1}")
    write(CTR / "pipeline.yaml", "include: [more.yaml]\n" + STEP)

    assert problem().code == "BF115"


@pytest.mark.parametrize("key", ["extends", "include"])
@pytest.mark.parametrize(
    "value", ["none.yaml", "5", "{a: b}", "[a, [b]]", "${variables.x}", ".", "''", '"a\\0b"', "x" * 300, "../.."]
)
def test_a_named_file_is_there(root, key, value):
    write(CTR / "pipeline.yaml", f"{key}: {value}\n{STEP}")

    found = problem()
    assert found.code == "BF112"
    assert found.span is not None
    assert len(found.summary) < 260


def test_files_that_extend_one_another_are_told(root):
    write(CTR / "a.yaml", "extends: b.yaml\n")
    write(CTR / "b.yaml", "extends: a.yaml\n")
    write(CTR / "pipeline.yaml", "extends: a.yaml\n" + STEP)

    found = problem()
    assert found.code == "BF112"
    assert " -> ".join(f"{CTR}/{n}" for n in ("pipeline.yaml", "a.yaml", "b.yaml", "a.yaml")) in found.summary


def test_files_that_double_end_quickly(root):
    write(CTR / "f0.yaml", "")
    for i in range(1, 30):
        write(CTR / f"f{i}.yaml", f"extends: [f{i - 1}.yaml, f{i - 1}.yaml]")
    write(CTR / "pipeline.yaml", "extends: f29.yaml\n" + STEP)

    started = time.process_time()
    assert problem().code == "BF112"
    assert time.process_time() - started < 1


def test_all_files_together_have_a_limit(root):
    write(CTR / "base.yaml", "# " + "x" * 900_000)
    write(CTR / "pipeline.yaml", "extends: [base.yaml, base.yaml, base.yaml]\n" + STEP)

    assert problem().code == "BF102"


@pytest.mark.parametrize("key", ["extends", "include"])
def test_no_file_outside_the_repository_is_read(root, key, tmp_path_factory):
    outside = write(tmp_path_factory.mktemp("outside") / "o.yaml", "steps: {}")
    (CTR / "link.yaml").symlink_to(outside)
    for value in (str(outside), os.path.relpath(outside, CTR), "link.yaml", "/etc/hostname"):
        write(CTR / "pipeline.yaml", f"{key}: {value}\n{STEP}")
        assert problem().code == "BF113"


# ------------------------------------------------------------------ environments


def environment(folder: str, text: str) -> None:
    write(Path("projects") / folder / "environment.yaml", f"name: {folder}\n{text}")


def test_defaults_have_an_order(root):
    environment(
        "research",
        "role: r0\ndefaults: {tags: {a: env, b: env, c: env, d: env, e: env}, by_type: {processing: {tags: {b: env-type, c: env-type, d: env-type, e: env-type}}}}",  # noqa: E501
    )
    defaults = "defaults: {tags: {c: own, d: own, e: own}, by_type: {processing: {tags: {d: own-type, e: own-type}}, fail: {message: m}}}\n"  # noqa: E501
    write(
        CTR / "pipeline.yaml", defaults + "steps: {s: {type: processing, code: s.py, tags: {e: step}}, f: {type: fail}}"
    )

    assert step()["tags"] == {"a": "env", "b": "env-type", "c": "own", "d": "own-type", "e": "step"}
    assert step()["role"] == "r0"
    assert step(name="f") == {"type": "fail", "message": "m"}


def test_a_default_reaches_only_types_with_the_field(root):
    write(
        CTR / "pipeline.yaml",
        "defaults: {hyperparameters: {a: 1}, message: m, timeout: 1h}\nsteps: {s: {type: processing}, t: {type: training}, f: {type: fail}, n: {}}",  # noqa: E501
    )
    steps = load().data["steps"]

    assert steps["s"] == {"timeout": "1h", "type": "processing"}
    assert steps["t"] == {"hyperparameters": {"a": 1}, "timeout": "1h", "type": "training"}
    assert steps["f"] == {"message": "m", "type": "fail"}
    assert steps["n"] == {}


def test_a_pipeline_reads_what_its_environment_says(root):
    environment("research", "team: {data: s3://b}\nbucket: '${team.data}'")
    write(CTR / "pipeline.yaml", "variables: {e: '${environment.team.data}/x'}\n" + STEP)
    loaded = load()

    assert loaded.data["variables"]["e"] == "s3://b/x"
    assert "environment" not in loaded.data
    assert loaded.environment is not None
    assert loaded.environment["bucket"] == "s3://b"


def test_the_nearest_environment_decides(root):
    environment("research", "x: 1")
    environment("research/ctr", "x: 2")
    write(CTR / "pipeline.yaml", "variables: {e: '${environment.x}'}\n" + STEP)

    assert load().data["variables"]["e"] == 2


def test_a_layer_of_another_folder_brings_no_environment(root):
    environment("prod", "x: 2\nrole: prod-role")
    write(ADS / "pipeline.yaml", "variables: {e: '${environment.x}'}\n" + STEP)
    write(CTR / "pipeline.yaml", "extends: ../../prod/ads/pipeline.yaml\n")

    assert problem().code == "BF125"
    environment("research", "x: 1")
    assert load().data["variables"]["e"] == 1
    assert "role" not in step()


@pytest.mark.parametrize("value", ["other", "[a]", "{a: b}"])
def test_a_locked_field_has_the_environments_value(root, value):
    environment("research", "role: r0\nlocked: [role, network]")
    write(
        CTR / "pipeline.yaml",
        f"steps:\n  s: {{type: processing, code: s.py}}\n  t: {{type: training, role: {value}}}\n",
    )

    found = problem()
    assert found.code == "BF116"
    assert "projects/research/environment.yaml:2" in found.summary
    assert found.path == ("steps", "t", "role")
    assert found.span is not None
    assert (found.span.file, found.span.line) == (str(CTR / "pipeline.yaml"), 3)


def test_a_lock_holds_against_every_layer(root):
    environment("research", "role: r0\nlocked: [role, network]")
    write(CTR / "pipeline.yaml", STEP)

    assert step()["role"] == "r0"
    assert step("steps.s.role=r0")["role"] == "r0"
    assert problem(CTR, "steps.s.role=r1").code == "BF116"
    assert problem(CTR, "defaults.role=r1").code == "BF116"
    assert problem(CTR, "defaults.by_type.processing.role=r1").code == "BF116"
    assert problem(CTR, "steps.s.role='${param:r}'").code == "BF116"
    assert problem(CTR, "variables.r=r1", "steps.s.role=${variables.r}").code == "BF116"
    assert problem(CTR, "steps.s.network={subnets: [a]}").code == "BF116"
    assert [d.code for d in problems(CTR, "steps.s.role=null")] == ["BF116"]


def test_prod_never_reads_research(root):
    environment("prod", "deploy_from: [ci]")
    environment("research", "")
    write(CTR / "pipeline.yaml", STEP)
    write("projects/base/direct.yaml", STEP)
    write("projects/base/through.yaml", "extends: ../research/ctr/pipeline.yaml")
    (ADS / "link.yaml").symlink_to((CTR / "pipeline.yaml").resolve())

    for name in ("../../research/ctr/pipeline.yaml", "../../base/through.yaml", "link.yaml"):
        write(ADS / "pipeline.yaml", f"extends: {name}\n")
        assert problem(ADS).code == "BF113"
    write(ADS / "pipeline.yaml", "extends: ../../base/direct.yaml\n")
    assert step(target=ADS)["type"] == "processing"


def test_research_may_read_prod(root):
    environment("prod", "deploy_from: [ci]")
    environment("research", "")
    write(ADS / "pipeline.yaml", STEP)
    write(CTR / "pipeline.yaml", "extends: ../../prod/ads/pipeline.yaml\n")

    assert step()["type"] == "processing"


def test_a_setting_is_refused_where_only_ci_deploys(root):
    environment("prod", "deploy_from: [ci]")
    write(ADS / "pipeline.yaml", STEP)

    assert problem(ADS, "steps.s.timeout=1h").code == "BF114"
    assert step("steps.s.timeout=1h", target=ADS, local=True)["timeout"] == "1h"


def test_a_pipeline_does_not_name_its_environment(root):
    write(CTR / "pipeline.yaml", "environment: prod\n" + STEP)

    assert problem().code == "BF117"


def test_a_process_variable_that_is_not_set_is_told(root, monkeypatch):
    monkeypatch.delenv("BUZZFLOW_TEST_UNSET", raising=False)
    environment("research", "allow_env: [BUZZFLOW_TEST_UNSET]")
    write(CTR / "pipeline.yaml", "variables:\n  a: ${oc.env:BUZZFLOW_TEST_UNSET}\n" + STEP)

    found = problem()
    assert found.code == "BF129"
    assert found.span is not None
    assert found.span.line == 2
    monkeypatch.setenv("BUZZFLOW_TEST_UNSET", "x")
    assert load().data["variables"]["a"] == "x"


# ------------------------------------------------------------------ finding and reading files


def test_a_folder_with_one_pipeline_names_it(root):
    file = write(CTR / "daily.pipeline.yaml", STEP)
    write(CTR / "pipeline.local.yaml", STEP)
    write(CTR / "steps.yaml", STEP)

    assert find_pipeline(CTR) == file
    assert load().name == "daily"
    assert load(CTR, local=True).files == (file,)


def test_a_pipeline_is_named_after_its_folder(root, monkeypatch):
    write(CTR / "pipeline.yaml", STEP)
    monkeypatch.chdir(CTR)

    assert load(Path()).name == "ctr"
    assert pipeline_name(Path("pipeline.yaml")) == "ctr"


def test_several_pipelines_in_a_folder_are_several_pipelines(root):
    for name in ("pipeline.yaml", "daily.pipeline.yaml", "weekly.pipeline.yaml"):
        write(CTR / name, STEP)

    found = problem()
    assert found.code == "BF100"
    assert found.hint == "name one of them: daily.pipeline.yaml, pipeline.yaml, weekly.pipeline.yaml"
    assert load(CTR / "weekly.pipeline.yaml").name == "weekly"


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("projects/research", "there is one in: ctr"),
        ("projects/base", "buzzflow runs a folder with a pipeline.yaml"),
        ("projects/research/crt", "did you mean 'ctr'?"),
        ("projects/reserach/ctr", "did you mean 'research'?"),
        ("projects/research/ctr/pipelin.yaml", "did you mean 'pipeline.yaml'?"),
        ("projects/research/ctr/train.yaml", "a pipeline is called pipeline.yaml or <name>.pipeline.yaml"),
        ("projects/research/ctr/pipeline.yaml/x", "'pipeline.yaml"),
        ("x" * 300, ""),
        ("a\0b", ""),
    ],
)
def test_what_is_no_pipeline_is_told_with_a_hint(root, target, hint):
    write(CTR / "pipeline.yaml", STEP)
    write(CTR / "train.yaml", STEP)

    found = problem(Path(target))
    assert found.code == "BF100"
    assert hint.lstrip("'") in (found.hint or "") or target.endswith("/x")


def test_a_file_that_is_not_utf_8_is_told(root):
    write(CTR / "pipeline.yaml", b"name: caf\xe9\n")

    found = problem()
    assert found.code == "BF101"
    assert "byte 10 is 0xe9" in found.summary
    write(CTR / "pipeline.yaml", STEP.encode("utf-16"))
    assert problem().code == "BF101"


def test_a_byte_order_mark_moves_nothing(root):
    text = "steps: {s: {type: fail, message: here}}"
    write(CTR / "pipeline.yaml", "\ufeff" + text)

    span = load().source.find(("steps", "s", "message"))
    assert span is not None
    assert (span.line, span.column) == (1, text.index("here") + 1)


def test_a_link_is_shown_by_its_own_name_and_belongs_where_it_leads(root):
    environment("research", "")
    environment("prod", "")
    write(CTR / "pipeline.yaml", STEP)
    (ADS / "pipeline.yaml").symlink_to((CTR / "pipeline.yaml").resolve())
    loaded = load(ADS)

    assert loaded.source.file(("steps", "s")) == str(ADS / "pipeline.yaml")
    assert loaded.environment == {"name": "research"}


def test_what_is_no_ordinary_file_is_not_read(root):
    os.mkfifo(CTR / "pipeline.yaml")
    assert problem().code == "BF100"
    (CTR / "pipeline.yaml").unlink()
    (CTR / "pipeline.yaml").mkdir()
    assert problem().code == "BF100"
    (CTR / "pipeline.yaml").rmdir()
    (CTR / "pipeline.yaml").symlink_to("pipeline.yaml")
    assert problem().code == "BF100"
    (CTR / "pipeline.yaml").unlink()
    write(CTR / "pipeline.yaml", "extends: fifo.yaml\n" + STEP)
    os.mkfifo(CTR / "fifo.yaml")
    assert problem().code == "BF112"
    os.mkfifo(CTR / "pipeline.local.yaml")
    write(CTR / "pipeline.yaml", STEP)
    assert problem(local=True).code == "BF100"


@pytest.mark.parametrize("size", [1_048_577, 5_000_000])
def test_a_large_file_is_not_read(root, size):
    write(CTR / "pipeline.yaml", "#" * size)

    assert problem().code == "BF102"


@pytest.mark.parametrize("text", ["- 1", "5", "null", "text", "[]"])
def test_a_pipeline_is_a_mapping(root, text):
    write(CTR / "pipeline.yaml", text)

    assert problem().code == "BF105"


def test_files_are_shown_from_where_one_stands(root, monkeypatch):
    write(CTR / "base.yaml", STEP)
    write(CTR / "pipeline.yaml", "extends: base.yaml\n")
    monkeypatch.chdir("projects/research")
    assert load(Path("ctr")).source.file(("steps", "s", "type")) == "ctr/base.yaml"
    monkeypatch.chdir("../prod")
    assert load(Path("../research/ctr")).source.file(("steps", "s", "type")) == str(root / CTR / "base.yaml")


TEXTS = st.text("abcXYZ é:#'\"-\n{}[]&*!|>%@`,?", max_size=10).filter(lambda t: t != "???")
LEAVES = st.one_of(st.integers(-99, 99), st.booleans(), TEXTS)
TREES = st.recursive(
    LEAVES,
    lambda i: st.lists(i, max_size=3) | st.dictionaries(st.text("abé", min_size=1, max_size=3), i, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.text("abé", min_size=1, max_size=3), TREES, max_size=3),
    st.dictionaries(st.text("abé", min_size=1, max_size=3), TREES, max_size=3),
)
def test_every_leaf_knows_the_text_it_came_from(root, low, high):
    write(CTR / "base.yaml", yaml.safe_dump({"variables": low, "steps": {"s": {"type": "fail"}}}, allow_unicode=True))
    write(CTR / "pipeline.yaml", yaml.safe_dump({"extends": "base.yaml", "variables": high}, allow_unicode=True))
    loaded = load()

    def leaves(value: Any, path: tuple[str | int, ...]) -> Any:
        children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
        if children is None:
            yield path
        for key, child in children or ():
            yield from leaves(child, (*path, key))

    for path in leaves(loaded.data.get("variables", {}), ("variables",)):
        span, raw = loaded.source.find(path), loaded.source.raw(path)
        assert span is not None
        assert raw is not None
        there = Path(span.file).read_text().split("\n")[span.line - 1][span.column - 1 :]
        assert there[:1] in ("'", '"', "|", ">", "!") or there.startswith(raw[:20].split("\n")[0].rstrip())
