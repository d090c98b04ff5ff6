"""Which texts are secrets by their look, and how to show a text without them.

The shapes are those that the services give their own tokens (fixed prefixes, so that scanners can find them), as in
the public rules of gitleaks and in GitHub's list of secret scanning patterns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

_START = r"(?<![A-Za-z0-9])"
# What it is; how it begins, for the quick look; the whole of it, in which group 1, if there is one, is the secret part.
_SHAPES: tuple[tuple[str, str, str], ...] = (
    ("an AWS access key id", r"A(?:3T[A-Z0-9]|KIA|SIA|BIA|CCA)", r"[A-Z2-7]{16}(?![A-Za-z0-9])"),
    ("a Slack token", r"xox[abceoprs]-", r"[A-Za-z0-9-]{10,}"),
    ("a Slack token", r"xapp-", r"\d-[A-Za-z0-9-]{10,}"),
    ("a Slack webhook", r"hooks\.slack\.com/", r"(?:services|workflows|triggers)/([A-Za-z0-9+/]{20,})"),
    ("a GitHub token", r"gh[pousr]_", r"[A-Za-z0-9]{36,}"),
    ("a GitHub token", r"github_pat_", r"[A-Za-z0-9_]{22,}"),
    ("a GitLab token", r"gl(?:pat|dt|rt|ptt|cbt|oas|soat|agent|ffct|imt|ft)-", r"[\w-]{20,}"),
    ("a private key", r"-----BEGIN ", r"(?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----[^-]*"),
    ("a Google API key", r"AIza", r"[\w-]{35}"),
    ("a Google OAuth secret", r"GOCSPX-", r"[\w-]{20,}"),
    ("a Google access token", r"ya29\.", r"[\w-]{20,}"),
    ("a Stripe key", r"[sr]k_(?:live|test)_", r"[A-Za-z0-9]{10,}"),
    ("a Stripe webhook secret", r"whsec_", r"[A-Za-z0-9+/=]{24,}"),
    ("an API key", r"sk-", r"(?:(?:proj|svcacct|admin|ant|or|lf)-[\w-]{20,}|(?=[A-Za-z]*\d)[A-Za-z0-9]{20,})"),
    ("a JSON Web Token", r"eyJ", r"[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    ("an npm token", r"npm_", r"[A-Za-z0-9]{36}"),
    ("a PyPI token", r"pypi-", r"A[\w-]{50,}"),
    ("a Hugging Face token", r"hf_", r"[A-Za-z0-9]{30,}"),
    ("a Hugging Face token", r"api_org_", r"[A-Za-z0-9]{30,}"),
    ("an Azure key", r"(?:AccountKey|SharedAccessKey)=", r"([A-Za-z0-9+/]{40,}={0,2})"),
    ("an Azure signature", r"sig=", r"([A-Za-z0-9%+/]{40,}(?:=|%3[Dd]){0,2})"),
    ("a Databricks token", r"dapi", r"[a-f0-9]{32}(?:-\d)?(?![A-Za-z0-9])"),
    ("a Twilio key", r"SK(?=[0-9a-f]{32}(?![0-9A-Za-z]))", r"[0-9a-f]{32}"),
    ("a SendGrid key", r"SG\.", r"[\w-]{16,32}\.[\w-]{16,64}"),
    ("a Mailgun key", r"key-", r"[0-9a-f]{32}(?![0-9A-Za-z])"),
    ("a DigitalOcean token", r"do[opr]_v1_", r"[a-f0-9]{64}"),
    ("a Shopify token", r"shp(?:at|ca|pa|ss)_", r"[a-fA-F0-9]{32}"),
    ("a Square token", r"sq0[a-z]{3}-", r"[\w-]{22,43}"),
    ("a Docker Hub token", r"dckr_(?:pat|oat)_", r"[\w-]{20,}"),
    ("a Vault token", r"hv[sbr]\.", r"[\w-]{24,}"),
    ("a Grafana token", r"gl(?:c|sa)_", r"[A-Za-z0-9+/_=]{32,}"),
    ("a New Relic key", r"NRAK-", r"[A-Z0-9]{27}"),
    ("a Linear key", r"lin_api_", r"[A-Za-z0-9]{40}"),
    ("a Notion token", r"ntn_", r"[A-Za-z0-9]{40,}"),
    ("a Notion token", r"secret_(?=[A-Za-z]*\d)", r"[A-Za-z0-9]{43}(?![A-Za-z0-9])"),
    ("a Figma token", r"figd_", r"[\w-]{30,}"),
    ("an Atlassian token", r"ATATT3", r"[\w=-]{60,}"),
    ("a Sentry token", r"sntry[su]_", r"[\w+/=]{40,}"),
    ("a PlanetScale token", r"pscale_(?:tkn|pw|oauth)_", r"[\w=.-]{32,}"),
    ("a Discord webhook", r"discord(?:app)?\.com/api/webhooks/", r"\d+/([\w-]{30,})"),
    ("a Teams webhook", r"webhook\.office\.com/webhookb2/", r"([\w@-]+/IncomingWebhook/\w+/[\w-]+)"),
    ("a Telegram token", r"\d{8,10}:AA", r"[\w-]{33}(?![\w-])"),
    ("a Pulumi token", r"pul-", r"[a-f0-9]{40}"),
    ("a Doppler token", r"dp\.(?:pt|st|ct|sa|scim|audit)\.", r"[A-Za-z0-9.]{40,}"),
    ("a RubyGems key", r"rubygems_", r"[a-f0-9]{48}"),
    ("an age key", r"AGE-SECRET-KEY-1", r"[A-Z0-9]{58}"),
    ("a Groq key", r"gsk_", r"[A-Za-z0-9]{40,}"),
    ("an xAI key", r"xai-", r"[A-Za-z0-9]{60,}"),
    ("a Replicate token", r"r8_", r"[A-Za-z0-9]{37}"),
    ("a Pinecone key", r"pcsk_", r"[\w-]{40,}"),
    ("a Perplexity key", r"pplx-", r"[A-Za-z0-9]{40,}"),
    ("a Terraform Cloud token", r"[A-Za-z0-9]{14}\.atlasv1\.", r"[\w=-]{60,}"),
    ("an AWS secret key", r"(?i:aws)[\w ]{0,20}(?i:key)\b[\"' ]*[=:][\"' ]*", r"([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"),
    ("a bearer token", r"(?i:bearer) +", r"((?=[A-Za-z._~+/-]*\d)[A-Za-z0-9._~+/-]{20,}=*)"),
)
_URL = r"://[^\s/:@\"'<>?#]*:"
_URL_PASSWORD = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*{_URL}([^\s/@\"'<>]+)@(?!sha256:)")
_QUICK = re.compile(rf"{_START}(?:{'|'.join(f'(?:{begins})' for _, begins, _ in _SHAPES)})|{_URL}")

_NO_SECRET = re.compile(
    r"""none|null|true|false|yes|no|todo|tbd|dummy|placeholder|redacted|unset|unused|n/?a|
    change[-_ ]?me|replace[-_ ]?me|your[-_ ].*|<.*>|\[.*\]|\(.*\)|\{.*\}|x{3,}|\*+|\.{3}|…|-+|
    \$\w+|\$\(.*\)|%\w+%|%[sd]|\\?\$\{.*|arn:.*|[a-z][a-z0-9+.-]*://.*|/.*|\.{1,2}/.*|~/.*|ssm:.*|secretsmanager:.*""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_MAYBE = re.compile(r"pass|pwd|secret|token|key|cred", re.IGNORECASE)
_NAME_OF_SOMETHING = re.compile(r"[A-Za-z]+(?:[/_.:-][A-Za-z]+)*|[0-9.eE+-]+")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PASSWORDS = frozenset(("password", "passwd", "passphrase", "pwd"))
_SECRETS = frozenset(("secret", "token", "apikey", "accesskey", "secretkey", "privatekey", "credential", "credentials"))
_BEFORE_KEY = frozenset(("api", "access", "secret", "private", "auth", "account", "signing", "service"))
# What a tokenizer calls its special tokens.
_BEFORE_TOKEN = frozenset(
    ("pad", "eos", "bos", "unk", "mask", "sep", "cls", "start", "end", "stop", "special", "image", "decoder", "prompt")
)
_NAME = rf"[\w.-]*(?:{_MAYBE.pattern})[\w.-]*"
_VALUE = r"""["']?(?P<value>[^\s"',}\]&;]+)"""
_GIVEN = r"(?P<given>(?![a-z]+(?:\s|$))[^\s\"',;]+)"  # a word behind an option is a sentence about it
_NAMED = re.compile(rf"(?P<name>{_NAME})=(?!=){_VALUE}|(?P<option>--{_NAME}) +{_GIVEN}", re.IGNORECASE)
_NAMED_IN_YAML = re.compile(  # as a key, an option in a list, a parameter with its default
    rf"""(?:(?P<name>{_NAME})["']?\s*:|(?P<option>--{_NAME})["']?\s*,)\s*"""
    rf"""(?:\{{\s*(?:type:\s*\w+,\s*)?default:\s*)?{_VALUE}""",
    re.IGNORECASE,
)
_BASE64_LINE = re.compile(r"^\s*([A-Za-z0-9+/]{60,76}={0,2})\s*$")


def secrets_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield what each secret in *text* is, by its shape, and where it starts and ends."""
    if len(text) < 8 or _QUICK.search(text) is None:
        return
    for what, pattern in _whole():
        for match in pattern.finditer(text):
            yield what, *match.span(match.re.groups)
    for match in _URL_PASSWORD.finditer(text):
        if not means_nothing(match[1]) and "\ue000" not in match[1]:
            yield "a password in an address", *match.span(1)


@cache
def _whole() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the shapes, ready: most pipelines never need them, and to read sixty expressions takes a while."""
    return tuple((what, re.compile(f"{_START}{begins}{rest}")) for what, begins, rest in _SHAPES)


def holds_a_secret(name: str, value: str) -> bool:
    """Whether *value* under *name* is a secret because of the name: `DB_PASSWORD: hunter2`.

    Of tokens and keys a single word, or words that make a path, are names of something: `prod/ctr/database`.
    """
    if _MAYBE.search(name) is None:
        return False
    words = ["", *(w.lower() for w in _WORD.findall(name))]
    before, last = words[-2:]
    if last not in _PASSWORDS:
        named = last in _SECRETS and not (last == "token" and before in _BEFORE_TOKEN)
        named = named or (last == "key" and before in _BEFORE_KEY)
        if not named or len(value) < 4 or _NAME_OF_SOMETHING.fullmatch(value):
            return False
    return not means_nothing(value) and "\ue000" not in value


def named_secrets_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the name of each secret that has one in *text* (`--password=…`, `Pwd=…;`), and where the value is."""
    if "=" not in text and "--" not in text:
        return
    for match in _NAMED.finditer(text):
        name, value = ("name", "value") if match["name"] else ("option", "given")
        if holds_a_secret(match[name], match[value]):
            yield match[name].lstrip("-."), *match.span(value)


def means_nothing(value: str) -> bool:
    """Whether *value* stands in a secret's place without being one: a placeholder, an ARN, a path, a reference."""
    return not value or _NO_SECRET.fullmatch(value) is not None


def mask(secret: str) -> str:
    """Return what of *secret* may be shown: enough to know it by, of a long one."""
    return f"{secret[:4]}…" if len(secret) >= 16 else "…"


def hidden(text: str, *, yaml: bool) -> list[tuple[int, int]]:
    """Return the parts of *text*, a line of a file (*yaml*) or a message, that may not be shown, in order and apart."""
    found = [span for _, *span in (*secrets_in(text), *named_secrets_in(text))]
    named = _NAMED_IN_YAML.finditer(text) if yaml else ()
    found += [[*m.span("value")] for m in named if holds_a_secret(m["name"] or m["option"], m["value"])]
    if line := _BASE64_LINE.match(text):  # in the middle of a private key
        found.append([*line.span(1)])
    merged: list[tuple[int, int]] = []
    for start, end in sorted((start, end) for start, end in found):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def without_secrets(text: str, *, yaml: bool = False) -> str:
    """Return *text* with every secret in it masked; in *yaml*, also what a key makes one."""
    pieces, end = [], 0
    for start, stop in hidden(text, yaml=yaml):
        pieces += [text[end:start], mask(text[start:stop])]
        end = stop
    return "".join([*pieces, text[end:]])
