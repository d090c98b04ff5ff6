"""Every kind of step that runs something, through the real command, on a real engine."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
import pytest

pytestmark = pytest.mark.docker
Make = Callable[..., Path]


@pytest.fixture
def run(tmp_path: Path, make_project: Make, python_image: str, command: str) -> Callable[..., dict[str, Any]]:
    """Return what lays out a project, runs it, and returns the summary, with the progress as `stderr`."""

    def run_it(pipeline: str, *arguments: str, code: int = 0, **files: str) -> dict[str, Any]:
        folder = make_project(tmp_path / "kinds", pipeline=pipeline.replace("IMAGE", python_image))
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text.replace("IMAGE", python_image))
        done = subprocess.run(
            [command, "create", "--local=docker", "--json", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        logs = {p.parent.name: p.read_text() for p in folder.glob(".buzzflow/runs/*/steps/*/log.txt")}
        return {**found, "logs": logs, "top": folder}

    return run_it


MEET = """
import json, os, pathlib, socket, sys, time
hosts = json.loads(os.environ["SM_HOSTS"])
me = os.environ["SM_CURRENT_HOST"]
config = json.loads(pathlib.Path("/opt/ml/input/config/resourceconfig.json").read_text())
assert (config["hosts"], config["current_host"], socket.gethostname()) == (hosts, me, me)
mine = 40 + hosts.index(me)
if me == hosts[0]:
    connection, _ = socket.create_server(("0.0.0.0", 7777)).accept()
    connection.sendall(b"%d" % mine)
    got = connection.recv(100)
else:
    for _ in range(200):
        try:
            connection = socket.create_connection((hosts[0], 7777))
            break
        except OSError:
            time.sleep(0.05)
    got = connection.recv(100)
    connection.sendall(b"%d" % mine)
print("got", got.decode())
parts = sorted(p.name for p in pathlib.Path("/opt/ml/input/data/parts").glob("*"))
pathlib.Path(os.environ["SM_MODEL_DIR"], me).write_text(" ".join(parts))
"""


@pytest.mark.parametrize("isolation", ["false", "true"])
def test_two_machines_find_each_other_by_name_and_exchange_a_number(
    isolation: str, run: Callable[..., dict[str, Any]]
) -> None:
    found = run(
        f"""
name: meet
defaults: {{image: {{uri: IMAGE}}}}
steps:
  prepare: {{type: processing, code: prepare.py, outputs: [parts]}}
  meet:
    type: training
    code: meet.py
    instance: {{count: 2}}
    network: {{isolation: {isolation}}}
    inputs: {{parts: {{from: "${{step:prepare.outputs.parts}}", distribution: shard}}}}
  look: {{type: processing, code: look.py, inputs: {{model: {{from: "${{step:meet.model}}", extract: true}}}}}}
""",
        **{
            "prepare.py": "import os, pathlib\n"
            "for i in range(3): pathlib.Path(os.environ['BUZZFLOW_OUTPUT_PARTS'], str(i)).write_text('')\n",
            "meet.py": MEET,
            "look.py": "import os, pathlib\n"
            "for f in sorted(pathlib.Path(os.environ['BUZZFLOW_INPUT_MODEL']).glob('algo-*')):\n"
            "    print(f.name, f.read_text())\n",
        },
    )
    assert sorted(found["logs"]["meet"].splitlines()) == ["algo-1 | got 41", "algo-2 | got 40"]
    assert found["logs"]["look"] == "algo-1 0 2\nalgo-2 1\n"
    assert found["steps"]["meet"]["how"].startswith("2 machines")


def test_one_machine_that_fails_ends_the_others(run: Callable[..., dict[str, Any]]) -> None:
    found = run(
        """
name: fails
defaults: {image: {uri: IMAGE}}
steps: {meet: {type: processing, code: meet.py, instance: {count: 3}}}
""",
        code=4,
        **{
            "meet.py": "import os, sys, time\n"
            "if os.environ['SM_CURRENT_HOST'] == 'algo-2': sys.exit('lost')\n"
            "time.sleep(60)\n"
        },
    )
    assert found["steps"]["meet"]["reason"] == "algo-2: exit code 1: lost"
    assert found["seconds"] < 30


def test_a_tuning_searches(run: Callable[..., dict[str, Any]]) -> None:
    found = run(
        """
name: search
defaults: {image: {uri: IMAGE}}
steps:
  tune:
    type: tuning
    code: train.py
    metrics: {auc: 'auc=(.*)'}
    search:
      objective: {maximize: auc}
      max_jobs: 12
      max_parallel_jobs: 2
      ranges: {depth: {integer: [1, 9]}}
  look:
    type: processing
    code: look.py
    inputs: {model: {from: "${step:tune.best.model}", extract: true}}
    arguments: ["${step:tune.best.metric}"]
""",
        **{
            "train.py": "import os, pathlib, sys\n"
            "depth = int(sys.argv[sys.argv.index('--depth') + 1])\n"
            "if depth == 1: sys.exit('too shallow')\n"
            "pathlib.Path(os.environ['SM_MODEL_DIR'], 'depth').write_text(str(depth))\n"
            "print(f'auc={depth / 10}')\n",
            "look.py": "import os, pathlib, sys\n"
            "print(sys.argv[1], pathlib.Path(os.environ['BUZZFLOW_INPUT_MODEL'], 'depth').read_text())\n",
        },
    )
    metric, depth = found["logs"]["look"].split()
    assert float(metric) == int(depth) / 10
    assert found["steps"]["tune"]["how"].startswith("4 of 12 trainings tried here")


SERVE = """
import http.server, os, pathlib, sys
assert sys.argv[1:] == ["serve"]
factor = float(pathlib.Path("/opt/ml/model/factor").read_text())

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/ping" else 404)
        self.end_headers()

    def do_POST(self):
        lines = self.rfile.read(int(self.headers["Content-Length"])).decode().splitlines()
        self.send_response(200)
        self.end_headers()
        self.wfile.write("\\n".join(str(factor * sum(map(float, line.split(",")))) for line in lines).encode())

http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""


@pytest.mark.parametrize("isolation", ["false", "true"])
def test_a_transform_asks_the_models_own_container(
    isolation: str, run: Callable[..., dict[str, Any]], docker_engine: docker.DockerClient
) -> None:
    found = run(
        f"""
name: score
defaults: {{image: {{uri: IMAGE}}}}
steps:
  train: {{type: training, code: train.py}}
  served:
    type: model
    image: {{build: image}}
    model: "${{step:train.model}}"
    network: {{isolation: {isolation}}}
  records: {{type: processing, code: records.py, outputs: [out]}}
  score:
    type: transform
    model: ${{step:served.name}}
    inputs: {{records: {{from: "${{step:records.outputs.out}}", content_type: text/csv, split: line}}}}
    outputs: {{predictions: {{accept: text/csv, assemble: line}}}}
    filter: {{input: "$[1:]", output: "$[0,-1]", join: input}}
    batch: {{max_concurrent: 2}}
  look: {{type: processing, code: look.py, inputs: {{p: "${{step:score.outputs.predictions}}"}}}}
""",
        **{
            "train.py": "import os, pathlib\npathlib.Path(os.environ['SM_MODEL_DIR'], 'factor').write_text('10')\n",
            "records.py": "import os, pathlib\n"
            "pathlib.Path(os.environ['BUZZFLOW_OUTPUT_OUT'], 'a.csv').write_text('x,1,2\\ny,3,4\\n')\n",
            "look.py": "import os, pathlib\n"
            "print(pathlib.Path(os.environ['BUZZFLOW_INPUT_P'], 'a.csv.out').read_text())\n",
            "image/serve.py": SERVE,
            "image/Dockerfile": 'FROM IMAGE\nCOPY serve.py /serve.py\nENTRYPOINT ["python3", "/serve.py"]\n',
        },
    )
    assert found["logs"]["look"] == "x,30.0\ny,70.0\n\n"
    assert found["steps"]["score"]["memory_peak_bytes"] > 0
    [recorded] = found["top"].glob(".buzzflow/runs/*/steps/served/recorded.json")
    docker_engine.images.remove(json.loads(recorded.read_text())["Containers"][0]["Image"], force=True)


def test_a_function_runs_behind_a_steps_walls(run: Callable[..., dict[str, Any]]) -> None:
    found = run(
        """
name: ask
defaults: {image: {uri: IMAGE}}
steps:
  ask: {type: lambda, function: newest, arguments: {n: 3}, outputs: {age: {type: integer}, wall: {}}}
  old: {type: condition, if: "${step:ask.outputs.age} == 4", then: [stop]}
  stop: {type: fail, message: "${step:ask.outputs.wall}"}
""",
        code=4,
        **{
            "pipeline.local.yaml": "local:\n"
            "  images: {'python:3.11-slim': IMAGE}\n"
            "  steps: {ask: {function: 'newest.py:handler'}}\n",
            "newest.py": "import pathlib\n"
            "def handler(event, context):\n"
            "    try:\n"
            "        pathlib.Path(__file__).write_text('')\n"
            "    except OSError as e:\n"
            "        return {'age': event['n'] + 1, 'wall': e.strerror}\n",
        },
    )
    assert found["steps"]["stop"]["reason"] == "Read-only file system"
    assert found["steps"]["ask"]["how"] == "newest.py:handler stands in for the Lambda function"


def test_a_loop_runs_a_container_for_each_item(run: Callable[..., dict[str, Any]]) -> None:
    found = run(
        """
name: days
defaults: {image: {uri: IMAGE}}
parameters: {days: '["mon", "tue"]'}
steps:
  each:
    type: foreach
    items: ${param:days}
    max_concurrency: 2
    steps: {one: {type: processing, code: day.py, arguments: ["${each:}"]}}
""",
        **{"day.py": "import sys\nprint(sys.argv[1])\n"},
    )
    assert found["logs"] == {"one-0": "mon\n", "one-1": "tue\n"}
    assert [*found["steps"]] == ["each", "one-0", "one-1"]
