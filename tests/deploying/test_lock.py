"""One deployer at a time: who holds the lock is told, who has ended does not hold it, and force-unlock needs its id."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.deploying.bucket import Bucket
from buzzflow.backends.sagemaker.deploying.holder import Holder, this_process
from buzzflow.backends.sagemaker.deploying.lock import FORMAT, force_unlock, key_of, locked
from buzzflow.diagnostics import PipelineError
from tests.aws.faults import Fault

from .conftest import BUCKET, NAME


@pytest.fixture
def bucket(account):
    return Bucket(Account("us-west-2"), BUCKET, account.account)


def hold(bucket, holder, *, wait=0.0, tell=lambda told: None, sleep=lambda seconds: None):
    return locked(bucket, NAME, holder, wait=wait, tell=tell, sleep=sleep)


def stranger(identity="0123456789abcdef"):
    return Holder(identity, "kim", "runner-7", 4711, "runner-7 1 pid:[1]", 1.0, "https://ci.example.com/runs/7", "abc")


def put(bucket, holder):
    content = json.dumps({"format": FORMAT, "pipeline": NAME, **holder.as_data()})
    return bucket.create(key_of(NAME), content.encode())


def test_the_lock_is_there_while_it_is_held_and_gone_after(bucket):
    me = this_process("me", {}, "")
    with hold(bucket, me):
        assert Holder.from_data(json.loads(bucket.read(key_of(NAME)).content)) == me
    assert bucket.read(key_of(NAME)) is None


def test_it_is_given_back_after_a_failure(bucket):
    with pytest.raises(ZeroDivisionError), hold(bucket, this_process("me", {}, "")):
        raise ZeroDivisionError
    assert bucket.read(key_of(NAME)) is None


def test_who_holds_it_is_told(bucket):
    put(bucket, stranger())
    with pytest.raises(PipelineError) as caught, hold(bucket, this_process("me", {}, "")):
        pass
    [problem] = caught.value.diagnostics
    assert problem.code == "BF610"
    assert "kim on runner-7 (process 4711, https://ci.example.com/runs/7)" in problem.summary
    assert "buzzflow force-unlock" in problem.hint
    assert "0123456789abcdef" in problem.hint


def test_waiting_is_told_once_and_ends_with_the_lock(bucket):
    etag = put(bucket, stranger())
    told, slept = [], []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            bucket.delete(key_of(NAME), etag)

    with hold(bucket, this_process("me", {}, ""), wait=600, tell=told.append, sleep=sleep):
        assert len(slept) == 3
    assert len(told) == 1


def test_the_lock_of_a_process_of_this_machine_that_has_ended_is_taken_over(bucket):
    program = (
        "import json; from buzzflow.backends.sagemaker.deploying.holder import this_process\n"
        "print(json.dumps(this_process('dead', {}, '').as_data()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    put(bucket, Holder.from_data(json.loads(done.stdout)))
    with hold(bucket, this_process("me", {}, "")) as lock:
        assert lock.holder.id == "me"


def test_the_lock_of_a_process_that_lives_is_not(bucket):
    put(bucket, this_process("other", {}, ""))
    with pytest.raises(PipelineError, match="BF610"), hold(bucket, this_process("me", {}, "")):
        pass


def test_the_lock_of_another_machine_s_process_is_not(bucket):
    gone = replace(this_process("other", {}, ""), started=1.0)
    assert gone.is_gone()
    put(bucket, replace(gone, machine="another 1 pid:[1]"))
    with pytest.raises(PipelineError, match="BF610"), hold(bucket, this_process("me", {}, "")):
        pass


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 99, "id": "x"}', b"\xff\xfe", b'{"format": 1}'])
def test_a_lock_that_cannot_be_read_is_still_a_lock(bucket, content):
    bucket.create(key_of(NAME), content)
    with pytest.raises(PipelineError, match="cannot be read"), hold(bucket, this_process("me", {}, "")):
        pass


def test_a_lost_answer_to_its_creation_is_not_another_holder(account, bucket):
    account.faults.on("PutObject", Fault.LOST)
    with hold(bucket, this_process("me", {}, "")) as lock:
        lock.check()
    assert bucket.read(key_of(NAME)) is None


def test_a_lock_that_was_forced_open_is_noticed(bucket):
    with hold(bucket, this_process("me", {}, "")) as lock:
        force_unlock(bucket, NAME, "me")
        with pytest.raises(PipelineError, match="BF611"):
            lock.check()


def test_force_unlock_needs_the_id_that_is_there(bucket):
    put(bucket, stranger())
    with pytest.raises(PipelineError, match="BF614"):
        force_unlock(bucket, NAME, "wrong")
    assert force_unlock(bucket, NAME, stranger().id) == stranger()
    assert force_unlock(bucket, NAME, stranger().id) is None


def test_of_eight_who_force_at_once_one_wins(bucket):
    put(bucket, stranger())
    won, lost = [], []

    def force():
        try:
            (won if force_unlock(bucket, NAME, stranger().id) else lost).append(1)
        except PipelineError:
            lost.append(1)

    threads = [threading.Thread(target=force) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)


def test_force_unlock_on_the_command_line(bucket, buzzflow):
    put(bucket, stranger())
    refused = buzzflow("create", "projects")
    assert refused.returncode == 1
    assert "BF610" in refused.stderr
    assert buzzflow("force-unlock", "projects/research/churn", "wrong").returncode == 1
    done = buzzflow("force-unlock", "projects/research/churn", stranger().id)
    assert done.returncode == 0
    assert "the lock of kim on runner-7" in done.stdout
    assert buzzflow("create", "projects").returncode == 0


def test_who_deploys_in_ci_is_told_with_its_page():
    environ = {
        "GITHUB_ACTOR": "kim",
        "GITHUB_SERVER_URL": "https://github.example.com",
        "GITHUB_REPOSITORY": "acme/ml",
        "GITHUB_RUN_ID": "7",
    }
    holder = this_process("id", environ, "abc")
    assert (holder.who, holder.pid) == ("kim", os.getpid())
    assert holder.run == "https://github.example.com/acme/ml/actions/runs/7"
