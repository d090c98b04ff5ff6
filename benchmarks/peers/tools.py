"""The commands that are measured: each tool, and the SDK in each way in which it can be kept from the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers.environments import Installed, Tool
from benchmarks.peers.processes import KEYS, REGION_ONLY

HERE = Path(__file__).parent
OPT_OUT = "SchemaVersion: '1.0'\nSageMaker: {PythonSDK: {Modules: {TelemetryOptOut: true}}}\n"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to build: a *tool*, a *mode* of its script, and variables of the process besides keys and region."""

    label: str
    tool: Tool
    mode: str
    variables: Mapping[str, str] = field(default_factory=dict)

    def command(self, installed: Mapping[str, Installed], out: Path, folders: Sequence[Path]) -> list[str]:
        """Return the command that builds *folders* in one process; the last definition goes to *out* or to stdout."""
        environment = installed[self.tool]
        names = [str(folder) for folder in folders]
        match self.mode:
            case "command":
                return [str(environment.program / "buzzflow"), "create", names[0], "--dry-run", "--json"]
            case "library":
                return [environment.python, str(HERE / "run_buzzflow.py"), *names]
            case _:
                script = "run_sdk.py" if self.tool == "sagemaker" else "run_sagerender.py"
                return [environment.python, str(HERE / script), self.mode, str(out), *names]

    def needs(self) -> dict[str, str]:
        """Return the variables of its process: none for buzzflow, a region and made-up keys for the others."""
        return {} if self.tool == "buzzflow" else {**KEYS, **REGION_ONLY, **self.variables}


def ways(home: Path) -> dict[str, Way]:
    """Return the ways by short name; *home* gets the file with the SDK's documented telemetry opt-out."""
    config = home / "sagemaker.yaml"
    config.write_text(OPT_OUT, "utf-8")
    out = {"SAGEMAKER_USER_CONFIG_OVERRIDE": str(config)}
    listed = [
        Way("buzzflow", "buzzflow", "command"),
        Way("sagerender", "sagerender", "offline"),
        Way("SDK 3", "sagemaker", "offline"),
        Way("SDK 3, patched", "sagemaker", "patched"),
        Way("SDK 3, opted out", "sagemaker", "offline", out),
    ]
    return {way.label: way for way in listed}


def served(endpoint: str, home: Path) -> list[Way]:
    """Return the ways that talk to a server which stands in for AWS, with the telemetry opt-out of their SDK."""
    more = {
        "AWS_ENDPOINT_URL": endpoint,
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(home / "sagemaker.yaml"),
        "SAGEMAKER_VALIDATE_ROLE": "false",  # the server has no iam:SimulatePrincipalPolicy
    }
    return [Way("sagerender", "sagerender", "server", more), Way("SDK 3, opted out", "sagemaker", "server", more)]
