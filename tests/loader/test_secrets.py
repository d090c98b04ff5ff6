"""Secrets in plain text are refused on their line and never shown; what only looks like one passes.

The secrets are put together here, so that no scanner takes this file for a leak.
"""

from __future__ import annotations

import random
import re
import string
import time
from pathlib import Path

import pytest
import yaml

from buzzflow.config.steps import fields_by_type
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.loader.load import LoadedConfig, load
from buzzflow.loader.secret_shapes import without_secrets

LETTERS, DIGITS, HEX = string.ascii_letters, string.digits, "0123456789abcdef"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
WORD = LETTERS + DIGITS


def some(count: int, alphabet: str = WORD) -> str:
    """Characters that look random, the same at every run, a digit among them."""
    chosen = random.Random(count * 31 + len(alphabet))
    return "7" + "".join(chosen.choice(alphabet) for _ in range(count - 1))


SHAPES = {
    "AWS access key id": "AKIA" + "IOSFODNN7EXAMPLE",
    "AWS temporary key id": "ASIA" + some(16, UPPER),
    "AWS secret key in context": "aws_secret_access_key=" + some(40),
    "Slack bot": "xoxb-" + some(12, DIGITS) + "-" + some(24),
    "Slack user": "xoxp-" + some(12, DIGITS) + "-" + some(24),
    "Slack app": "xapp-" + "1-A0" + some(20),
    "Slack webhook": "https://hooks.slack.com/services/" + f"T{some(8)}/B{some(8)}/{some(24)}",
    "GitHub": "ghp_" + some(36),
    "GitHub OAuth": "gho_" + some(36),
    "GitHub server": "ghs_" + some(36),
    "GitHub fine-grained": "github_pat_" + some(82),
    "GitLab": "glpat-" + some(20),
    "GitLab deploy": "gldt-" + some(20),
    "RSA key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE" + some(60) + "\n-----END RSA PRIVATE KEY-----",
    "key": "-----BEGIN " + "PRIVATE KEY-----\nMIIE" + some(60),
    "OpenSSH key": "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nb3Bl" + some(60),
    "PGP key": "-----BEGIN PGP " + "PRIVATE KEY BLOCK-----\nlQdG" + some(60),
    "URL": "postgresql://ml:" + "hunter2@db.example.com:5432/ads",
    "URL without user": "redis://:" + some(16) + "@cache:6379/0",
    "Git URL": "https://oauth2:" + some(20) + "@gitlab.com/x/y.git",
    "Google": "AIza" + some(35),
    "Google OAuth": "GOCSPX-" + some(28),
    "Google access": "ya29." + some(60),
    "Stripe": "sk_live_" + some(24),
    "Stripe restricted": "rk_live_" + some(24),
    "OpenAI": "sk-" + some(48),
    "OpenAI project": "sk-proj-" + some(60),
    "Anthropic": "sk-ant-" + "api03-" + some(80),
    "JWT": "eyJ" + some(20) + ".eyJ" + some(40) + "." + some(43),
    "npm": "npm_" + some(36),
    "PyPI": "pypi-" + "AgEIcHlwaS5vcmc" + some(60),
    "Hugging Face": "hf_" + some(34),
    "Azure storage": "DefaultEndpointsProtocol=https;AccountName=ml;AccountKey=" + some(86) + "==",
    "Azure signature": "https://ml.blob.core.windows.net/x?sv=2022&sig=" + some(43) + "%3D",
    "Databricks": "dapi" + some(32, HEX),
    "Twilio": "SK" + some(32, HEX),
    "SendGrid": "SG." + some(22) + "." + some(43),
    "Mailgun": "key-" + some(32, HEX),
    "DigitalOcean": "dop_v1_" + some(64, HEX),
    "Shopify": "shpat_" + some(32, HEX),
    "Docker Hub": "dckr_pat_" + some(27),
    "Vault": "hvs." + some(90),
    "Grafana": "glsa_" + some(32) + "_" + some(8, HEX),
    "New Relic": "NRAK-" + some(27, UPPER),
    "Linear": "lin_api_" + some(40),
    "Notion": "ntn_" + some(46),
    "Discord webhook": "https://discord.com/api/webhooks/" + some(18, DIGITS) + "/" + some(68),
    "Telegram": some(9, DIGITS) + ":AA" + some(33),
    "Pulumi": "pul-" + some(40, HEX),
    "RubyGems": "rubygems_" + some(48, HEX),
    "Replicate": "r8_" + some(37),
    "Terraform Cloud": some(14) + ".atlasv1." + some(67),
    "bearer": "Authorization: Bearer " + some(40),
}
NAMED = {
    "a variable": ("environment_variables: {DB_PASSWORD: hunter2}", "hunter2"),
    "a token": ("environment_variables: {WANDB_API_KEY: %s}" % some(40, HEX), some(40, HEX)),  # noqa: UP031
    "an AWS key": ("environment_variables: {AWS_SECRET_ACCESS_KEY: %s}" % some(40), some(40)),  # noqa: UP031
    "camel case": ("hyperparameters: {clientSecret: qwerty12}", "qwerty12"),
    "an option": ("arguments: [--user, ml, --db-password, hunter2]", "hunter2"),
    "a map of options": ("arguments: {api-key: 12ab34cd}", "12ab34cd"),
    "one word": ("arguments: [--password=hunter2]", "hunter2"),
    "a connection string": ("environment_variables: {DSN: 'Server=db;Uid=ml;Pwd=hunter2;'}", "hunter2"),
    "a shell line": ("arguments: ['login --password hunter2']", "hunter2"),
}
INNOCENT = [
    "arn:aws:iam::111122223333:role/buzzflow-research-execution",
    "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/ctr/database-AbCdEf",
    "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:sns:us-west-2:111122223333:Basic-Alerts:0a1b2c3d-0000-1111-2222-333344445555",
    "s3://example-research-ml/data/dt=2026-01-01/part-00000-6f1ed002ab5595859014ebf0951522d9.snappy.parquet",
    "s3://bucket/key:with:colons@and-signs/file",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "docker.io/library/python@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "docker://python:3.11@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "82f212a",
    "1234abcd-12ab-34cd-56ef-1234567890ab",
    "mrk-1234abcd12ab34cd56ef1234567890ab",
    "subnet-0123456789abcdef0",
    "sg-0123456789abcdef0",
    "vpce-1a2b3c4d5e6f7a8b9-abcdefgh",
    '{"layers": [64, 32, 16], "activation": "relu", "dropout": 0.25, "token_embedding": "sinusoidal"}',
    "eyJsYXllcnMiOiBbNjQsIDMyLCAxNl0sICJhY3RpdmF0aW9uIjogInJlbHUifQ==",
    "H4sIAAAAAAAAA0vOSSwuVrBSSEksSQQAZ5q2iQ0AAAA=",
    r"auc=([0-9\.]+)",
    r"tokens per second: ([0-9.]+)",
    r"\[epoch (\d+)\] loss=(?P<loss>[0-9.e-]+) token_accuracy=([0-9.]+)",
    "SELECT user_id, token, password IS NOT NULL AS has_password FROM ads.users WHERE dt = '2026-01-01'",
    "select * from t where secret_key = key and api_token <> ''",
    "meta-llama/Llama-3.1-8B-Instruct",
    "sentence-transformers/all-MiniLM-L6-v2",
    "sk-learn-gradient-boosting-classifier-model",
    "sklearn:1.2-1",
    "hf_dataset_name",
    "pypi-mirror",
    "key-value-store",
    "AveryLongCamelCaseNameOfAnExperimentWithManyWordsInsideIt",
    "ThisIsACamelCaseTextOfExactlyFortyLetters",
    "ASIA-PACIFIC",
    "SGD.with.momentum",
    "xoxo",
    "http://localhost:5000",
    "https://mlflow.example.com:8443/#/experiments/12",
    "https://user@example.com/path",
    "ssh://git@github.com:22/example/repo.git",
    "postgresql://ml:${param:token}@db:5432/ads",
    "postgresql://ml:<password>@db:5432/ads",
    "bearer of bad news about a long sentence",
    "sig=short",
    "2026-01-01T00:00:00.000+00:00",
    "-----BEGIN CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----",
    "dapi",
    "github_pat_",
]
INNOCENT_NAMED = [
    "hyperparameters: {max_tokens: 512, tokenizer: bert-base, token: word, pad_token: '[PAD]', eos_token: </s>}",
    "hyperparameters: {unk_token: tok_7f3a, mask_token_id: 103, image_token: img1}",
    "hyperparameters: {sort_key: user_id2, partition_key: k1, key: value1, kms_key: 1234abcd-12ab-34cd}",
    "environment_variables: {TOKENIZERS_PARALLELISM: 'true', USE_AUTH_TOKEN: 'false', PASSWORD_FILE: run/x1}",
    "environment_variables: {DB_PASSWORD: '${param:token}', API_KEY: 'Bearer ${param:token}'}",
    "environment_variables: {DB_SECRET: 'arn:aws:secretsmanager:us-west-2:111122223333:secret:db-AbCdEf'}",
    "environment_variables: {secret_name: prod/ctr/db1, DB_SECRET: prod/ctr/database, SECRET_ARN: a1b2c3}",
    "environment_variables: {DB_PASSWORD: <your password>, API_KEY: changeme, OTHER_TOKEN: xxxx, MY_TOKEN: ''}",
    "environment_variables: {DB_PASSWORD: $DB_PASSWORD, API_TOKEN: /run/secrets/token1}",
    "arguments: [--password, '${param:token}', --token-column, tok1, --secret-name, prod/db1]",
    "arguments: {password-file: p1.txt, max-token-length: 512}",
    "arguments: ['the --password is read by the script']",
    "tags: {token: tok-12345, secret: s3cr3t-project}",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pipeline(text: str, *settings: str) -> LoadedConfig:
    Path("pipeline.yaml").write_text(text)
    return load(Path("pipeline.yaml"), fields=fields_by_type(), settings=settings)


def refused(text: str, *settings: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(PipelineError) as caught:
        pipeline(text, *settings)
    assert {d.code for d in caught.value.diagnostics} == {"BF160"}
    return caught.value.diagnostics


def step(text: str) -> str:
    return f"parameters: {{token: {{type: string}}}}\nsteps:\n  s:\n    type: training\n    {text}\n"


@pytest.mark.parametrize("secret", SHAPES.values(), ids=SHAPES)
def test_a_secret_is_refused_on_its_line_and_not_shown(secret: str, folder: Path) -> None:
    text = yaml.safe_dump({"variables": {"a": 1, "x": f"{secret}"}}, width=10_000)
    [found] = refused(text)
    assert found.span is not None
    assert found.span.line == 3
    told = f"{found.summary} {found.hint}"
    password = re.search(r"//\w*:([^@]+)@", secret)
    tail = password[1] if password else re.sub(r"\s", "", secret)[-12:]
    assert tail not in told
    assert tail not in without_secrets(secret)


def test_thirty_shapes_are_known() -> None:
    assert len(SHAPES) >= 30


@pytest.mark.parametrize(("text", "secret"), NAMED.values(), ids=NAMED)
def test_a_name_makes_a_text_a_secret(text: str, secret: str, folder: Path) -> None:
    [found] = refused(step(text))
    assert found.span is not None
    assert found.span.line == 5
    assert secret not in f"{found.summary} {found.hint}"
    assert secret not in without_secrets(text, yaml=True)


@pytest.mark.parametrize("value", INNOCENT)
def test_what_is_no_secret_passes(value: str, folder: Path) -> None:
    places = {"environment_variables": {"A": value}, "hyperparameters": {"a": value}, "arguments": ["--a", value]}
    steps = {"s": {"type": "training", "metrics": {"m": value}, **places}}
    found = pipeline(yaml.safe_dump({"variables": {"x": value}, "parameters": {"token": {}}, "steps": steps}))
    assert str(found.data["variables"]["x"]) == value


@pytest.mark.parametrize("text", INNOCENT_NAMED)
def test_a_name_alone_makes_no_secret(text: str, folder: Path) -> None:
    assert pipeline(step(text)).data["steps"]["s"]["type"] == "training"


def test_forty_innocent_values_are_tried() -> None:
    assert len(INNOCENT) >= 40


def test_a_secret_is_told_where_it_is_written_and_not_where_it_is_used(folder: Path) -> None:
    token = SHAPES["GitHub"]
    found = refused(
        f"variables:\n  t: {token}\nsteps: {{s: {{type: training, hyperparameters: {{a: '${{variables.t}}'}}}}}}"
    )
    assert [d.path for d in found] == [("variables", "t")]


def test_a_default_of_a_parameter_is_looked_at(folder: Path) -> None:
    [found] = refused("parameters:\n  db_password: hunter2\nsteps: {}\n")
    assert found.path == ("parameters", "db_password", "default")
    assert found.hint == "put it in AWS Secrets Manager, and name it in the step: secrets: {DB_PASSWORD: secret-id}"


def test_every_layer_is_looked_at_also_what_it_replaced(folder: Path) -> None:
    secret = SHAPES["GitLab"]
    Path("base.yaml").write_text(f"variables:\n  x: {secret}\n")
    Path("environment.yaml").write_text(f"name: research\nmlflow: {{uri: 'https://u:{'hunter2'}@mlflow'}}\n")
    found = refused("extends: base.yaml\nvariables: {x: 1}\n", f"variables.y={SHAPES['npm']}")
    assert [d.span.file for d in found if d.span] == ["--set variables.y", "base.yaml", "environment.yaml"]


def test_a_process_variable_may_not_bring_a_secret_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", SHAPES["npm"])
    Path("environment.yaml").write_text("name: research\nallow_env: [CANARY]\n")
    [found] = refused("variables:\n  x: ${oc.env:CANARY}\n")
    assert found.span is not None
    assert found.span.line == 2


def test_an_environment_says_what_is_no_secret(folder: Path) -> None:
    Path("environment.yaml").write_text(f"name: research\nnot_secrets: [hunter2, {SHAPES['Mailgun']}]\n")
    text = step("environment_variables: {DB_PASSWORD: hunter2, A: %s}" % SHAPES["Mailgun"])  # noqa: UP031
    assert pipeline(text).data["steps"]["s"]["environment_variables"]["DB_PASSWORD"] == "hunter2"


def test_looking_for_secrets_costs_little(folder: Path) -> None:
    steps = {
        f"s{i}": {
            "type": "training",
            "hyperparameters": {f"parameter_{k}": f"s3://example-ml/data/{i}/{k}/part.parquet" for k in range(20)},
        }
        for i in range(100)
    }
    text = yaml.safe_dump({"steps": steps})
    assert text.count("\n") > 2000
    pipeline(text)
    from buzzflow.loader.secrets import find_secrets
    from buzzflow.loader.yaml_reader import read_yaml

    tree = read_yaml(text, "pipeline.yaml")
    times = []
    for _ in range(5):
        start = time.perf_counter()
        assert not [*find_secrets(tree, None)]
        times.append(time.perf_counter() - start)
    assert min(times) < 0.1
