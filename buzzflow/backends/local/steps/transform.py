"""Send records through a model's container and store its answers, as batch transform does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from buzzflow.backends.local import evaluate, plan
from buzzflow.backends.local.events import State, StepFinished
from buzzflow.backends.local.executor import ExecutorError, Mount, Outcome, Serving, Task
from buzzflow.backends.local.request.served import model_of
from buzzflow.backends.local.steps.failures import failed
from buzzflow.backends.local.steps.filters import FilterError, read_filter
from buzzflow.backends.local.steps.invocations import Model, ModelError
from buzzflow.backends.local.steps.log import StepLog
from buzzflow.backends.local.steps.means import Means
from buzzflow.backends.local.steps.records import MEGABYTE, Form, RecordError, assembled, batches, unpacked
from buzzflow.backends.local.steps.results import Left, StepPlace
from buzzflow.backends.local.steps.staging import OPT_ML, StagingError
from buzzflow.backends.local.steps.unpacking import unpack
from buzzflow.backends.local.store import AddressError

PORT = 8080  # where the service asks every model
READY_SECONDS = 480.0  # as long as an endpoint's container may take
_REQUEST_SECONDS = 600.0  # InvocationsTimeoutInSeconds, when the job does not say
_PAYLOAD_MB = 6
_CANNOT_START = (evaluate.EvaluationError, AddressError, StagingError, FilterError, OSError)


def transform(place: StepPlace[plan.TransformStep], means: Means) -> tuple[StepFinished, Left]:
    """Start the model, ask it for every record of every file, and end it."""
    with means.slot() as has_one:
        if not has_one:
            return StepFinished(place.step.name, State.STOPPED, reason="stopped"), Left()
        try:
            task, listening = _task(place, means)
            source = _source(place)
        except _CANNOT_START as e:
            return StepFinished(place.step.name, State.FAILED, reason=f"it cannot start: {e}"), Left()
        return _Transform(place, means, task, listening, source).to_the_end()


class _Listening:
    """Where the model's container listens, once that is known."""

    def __init__(self) -> None:
        self.known = threading.Event()
        self.address: tuple[str, int] | None = None

    def at(self, host: str, port: int) -> None:
        self.address = (host, port)
        self.known.set()


class _Transform:
    """One transform on its way: the container runs in a thread of its own, until every record is answered."""

    def __init__(
        self, place: StepPlace[plan.TransformStep], means: Means, task: Task, listening: _Listening, source: Path
    ) -> None:
        self.place, self.means, self.task, self.listening, self.source = place, means, task, listening, source
        self.enough = threading.Event()
        self.gone = threading.Event()  # the container has ended, or the run is stopped
        self.outcome: Outcome | None = None
        self.problem: BaseException | None = None

    def to_the_end(self) -> tuple[StepFinished, Left]:
        name, log_path = self.place.step.name, self.place.folder / "log.txt"
        with log_path.open("wb") as file:
            log = StepLog(name, file, self.means.emit, {})
            runner = threading.Thread(target=self._run, args=(log,), name="model", daemon=True)
            runner.start()
            try:
                problem = self._ask()
            finally:
                self.enough.set()
                runner.join()
            log.close()
        if isinstance(self.problem, ExecutorError):
            reason = f"{self.problem.summary}{f': {self.problem.hint}' if self.problem.hint else ''}"
            return StepFinished(name, State.FAILED, reason=reason, log=log_path), Left()
        if self.problem is not None:
            raise self.problem
        assert self.outcome is not None  # the thread has ended without an error
        if self.means.stop.is_set():
            return StepFinished(name, State.STOPPED, self.outcome.usage, reason="stopped", log=log_path), Left()
        if problem == "":
            return failed(name, self.outcome, log, log_path, None, "the model's container ended: "), Left()
        if problem is not None:
            tail = tuple(log.tail)
            return StepFinished(name, State.FAILED, self.outcome.usage, reason=problem, tail=tail, log=log_path), Left()
        return self._done(log_path)

    def _done(self, log_path: Path) -> tuple[StepFinished, Left]:
        name, address = self.place.step.name, self.place.address(self.place.step.output)
        words: dict[tuple[str, str], evaluate.Plain] = {
            (name, "job_name"): self.place.job_name,
            (name, "arn"): f"local:{self.place.job_name}",
        }
        assert self.outcome is not None  # only a transform that ran is done
        done = StepFinished(name, State.SUCCEEDED, self.outcome.usage, log=log_path)
        return done, Left({(name, "predictions"): address}, properties=words)

    def _run(self, log: StepLog) -> None:
        try:
            self.outcome = self.means.executor.run(self.task, log.write, _Stop(self.means.stop, self.enough))
        except BaseException as e:  # noqa: BLE001  # handed to the thread that waits
            self.problem = e
        self.gone.set()
        self.listening.known.set()

    # ---- the conversation

    def _ask(self) -> str | None:
        """Return None when every record is answered, else what went wrong; empty text when the container ended."""
        self.listening.known.wait()
        if self.listening.address is None:
            return ""
        model = Model(self.listening.address)
        try:
            if not model.wait(READY_SECONDS, self.gone):
                return ""
            form, at_once, seconds = self._form(model)
            for file, name in _files(self.source):
                self._one_file(model, file, name, form, at_once, seconds)
        except (ModelError, RecordError, evaluate.EvaluationError, AddressError, FilterError, OSError) as e:
            if self.gone.is_set():
                return ""
            return str(e)
        return None

    def _form(self, model: Model) -> tuple[Form, int, float]:
        """Return how records travel: as the step says, else as the container asks, else the service's defaults."""
        step, known = self.place.step, self.place.known
        asked = model.parameters()
        payload = step.max_payload_mb if step.max_payload_mb is not None else asked.get("MaxPayloadInMB", _PAYLOAD_MB)
        at_once = step.max_concurrent if step.max_concurrent is not None else asked.get("MaxConcurrentTransforms", 1)
        strategy = step.strategy or {"SingleRecord": "single_record", "SINGLE_RECORD": "single_record"}.get(
            str(asked.get("BatchStrategy")), "multi_record"
        )
        form = Form(
            split=step.split,
            assemble=step.assemble,
            single=strategy == "single_record",
            most_bytes=(evaluate.number(payload, known) or 100) * MEGABYTE,
            content_type=_text(step.content_type, known),
            accept=_text(step.accept, known),
            input_filter=() if step.input_filter is None else read_filter(evaluate.text(step.input_filter, known)),
            output_filter=() if step.output_filter is None else read_filter(evaluate.text(step.output_filter, known)),
            join=step.join,
        )
        seconds = _REQUEST_SECONDS if step.timeout is None else float(evaluate.number(step.timeout, known))
        return form, max(1, evaluate.number(at_once, known)), seconds

    def _one_file(self, model: Model, file: Path, name: str, form: Form, at_once: int, seconds: float) -> None:
        """Ask for each record of *file*; its answers are `<name>.out`, in the order of the records."""
        address = self.place.address(self.place.step.output)
        target = self.place.request.store().path(address) / f"{name}.out"
        target.parent.mkdir(parents=True, exist_ok=True)
        headers = {"Content-Type": form.content_type, "Accept": form.accept}
        told = {key: value for key, value in headers.items() if value is not None}
        try:
            asked = [*batches(unpacked(file.read_bytes(), self.place.step.compression), form)]
            with ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="ask") as pool:
                answers = pool.map(lambda batch: model.invoke(batch.body, told, seconds), asked)
                stored = [assembled(batch, answer, form) for batch, answer in zip(asked, answers, strict=True)]
        except RecordError as e:
            raise RecordError(f"{name}: {e}") from None
        target.write_bytes(b"".join(stored))


class _Stop(threading.Event):
    """A sign to stop that either of two others gives."""

    def __init__(self, *others: threading.Event) -> None:
        super().__init__()
        self._others = others

    def is_set(self) -> bool:
        return super().is_set() or any(other.is_set() for other in self._others)


# ------------------------------------------------------------------ what it starts with


def _task(place: StepPlace[plan.TransformStep], means: Means) -> tuple[Task, _Listening]:
    model = model_of(place.step, place.request.plan)
    assert model is not None  # `transform_problems` lets no other pass
    [container] = model.containers
    known = place.known
    place.folder.mkdir(parents=True)
    folder = place.stage.folder / "model"
    folder.mkdir(parents=True)
    if container.model is not None:
        unpack(place.request.store().path(evaluate.text(container.model, known)), folder)
    environment = {**container.environment, **place.step.environment}
    isolation = model.isolation
    listening = _Listening()
    task = Task(
        run=place.request.run,
        step=place.step.name,
        setting=means.setting(place.step),
        entrypoint=None,
        arguments=("serve",),
        environment={**_batch_variables(place), **{k: evaluate.text(v, known) for k, v in environment.items()}},
        mounts=(Mount(place.stage.folder, OPT_ML, read_only=False),),
        network=not (isolation if isinstance(isolation, bool) else evaluate.value(isolation, known)),
        serving=Serving(PORT, listening.at),
    )
    return task, listening


def _batch_variables(place: StepPlace[plan.TransformStep]) -> dict[str, str]:
    """Return what the service tells a container of the batch; what the job does not say, it does not either."""
    step, known = place.step, place.known
    found = {"SAGEMAKER_BATCH": "true"}
    if step.max_payload_mb is not None:
        found["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = str(evaluate.number(step.max_payload_mb, known))
    if step.max_concurrent is not None:
        found["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] = str(evaluate.number(step.max_concurrent, known))
    if step.strategy is not None:
        found["SAGEMAKER_BATCH_STRATEGY"] = step.strategy.upper()
    return found


def _source(place: StepPlace[plan.TransformStep]) -> Path:
    address = evaluate.text(place.step.source, place.known)
    path = place.request.store().path(address)
    if not path.exists():
        raise StagingError(f"there is nothing at {address}")
    return path


def _files(source: Path) -> Iterator[tuple[Path, str]]:
    if source.is_file():
        yield source, source.name
        return
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        yield path, path.relative_to(source).as_posix()


def _text(expression: plan.Expression | None, known: evaluate.Known) -> str | None:
    return None if expression is None else evaluate.text(expression, known)
