"""`create` brings a pipeline to the account, writes only what differs, and leaves nothing half done."""

from __future__ import annotations

import io
import json
import re
import tarfile

import pytest

from tests.aws.faults import Fault

from .conftest import BUCKET, NAME

LOCK = f"buzzflow/locks/{NAME}.json"
JOURNAL = f"buzzflow/deploys/{NAME}.json"


def objects(account):
    pages = account.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", ())}


def writes(account):
    return [call.operation for call in account.calls if call.writes]


def test_a_new_pipeline_is_created_with_its_code_and_tags(account, repository, buzzflow):
    commit = repository.git("rev-parse", "HEAD")
    done = buzzflow("create", "projects")
    assert done.returncode == 0, done.stderr
    found = account.pipeline(NAME)
    definition = json.loads(found.current.text)
    assert [step["Name"] for step in definition["Steps"]] == ["extract", "train"]
    assert found.role == "arn:aws:iam::111122223333:role/buzzflow-research-execution"
    assert found.description == "Trains churn"
    assert found.parallelism == {"MaxParallelExecutionSteps": 4}
    digest = found.tags.pop("buzzflow:digest")
    assert re.fullmatch("1-[0-9a-f]{64}", digest)
    assert found.tags.pop("buzzflow:version")
    assert found.tags == {
        "environment": "research",
        "buzzflow:source": "projects/research/churn/pipeline.yaml",
        "buzzflow:repository": "example.com/acme/ml",
        "buzzflow:commit": commit,
        "buzzflow:owner": "ads-ml",
    }
    addresses = {
        i["S3Input"]["S3Uri"].split("/", 3)[3]
        for i in definition["Steps"][0]["Arguments"]["ProcessingInputs"]
        if i["InputName"] == "code"
    }
    stored = objects(account)
    assert all(any(key.startswith(address) for key in stored) for address in addresses)
    assert LOCK not in stored


def test_the_definition_sent_is_the_one_that_a_dry_run_shows(account, buzzflow):
    shown = buzzflow("create", "projects/research/churn", "--dry-run", "--json")
    assert shown.returncode == 0
    buzzflow("create", "projects")
    text = account.pipeline(NAME).current.text
    assert json.loads(text) == json.loads(shown.stdout)
    assert text == json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)


def test_a_second_deployment_writes_nothing(account, buzzflow):
    buzzflow("create", "projects")
    account.calls.clear()
    done = buzzflow("create", "projects")
    assert done.returncode == 0
    assert "nothing to do" in done.stderr
    assert writes(account) == []


def test_another_commit_alone_writes_nothing(account, repository, buzzflow):
    buzzflow("create", "projects")
    repository.write("README.md", "more\n")
    repository.commit()
    account.calls.clear()
    assert buzzflow("create", "projects").returncode == 0
    assert writes(account) == []


def test_an_update_uploads_only_what_is_absent(account, repository, buzzflow):
    buzzflow("create", "projects")
    before = objects(account)
    repository.write("projects/research/churn/train.py", "print('better')\n")
    account.calls.clear()
    done = buzzflow("create", "projects", "--json")
    assert json.loads(done.stdout)["pipelines"][0]["done"] == "updated"
    new = objects(account).keys() - before.keys()
    assert sorted(key.split("/", 3)[3] for key in new) == ["entry.py", "entry.sh", "src/train.py"]
    assert writes(account).count("UpdatePipeline") == 1
    assert "CreatePipeline" not in writes(account)
    assert account.pipeline(NAME).tags["buzzflow:commit"].endswith("-changed")


def test_a_tag_that_is_gone_from_the_file_goes_and_a_stranger_s_stays(account, repository, buzzflow):
    repository.change("owner: ads-ml", "owner: ads-ml\ntags: {team: ads}")
    buzzflow("create", "projects")
    sagemaker = account.client("sagemaker")
    arn = account.pipeline(NAME).arn
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "cost-center", "Value": "7"}])
    repository.change("\ntags: {team: ads}", "")
    assert buzzflow("create", "projects").returncode == 0
    tags = account.pipeline(NAME).tags
    assert "team" not in tags
    assert tags["cost-center"] == "7"


def test_code_that_somebody_deleted_is_uploaded_again(account, buzzflow):
    buzzflow("create", "projects")
    stored = objects(account)
    lost = next(key for key in stored if key.endswith("train.py"))
    account.client("s3").delete_object(Bucket=BUCKET, Key=lost)
    done = buzzflow("create", "projects")
    assert done.returncode == 0
    assert objects(account).keys() == stored.keys()
    assert "UpdatePipeline" not in writes(account)


def test_code_that_somebody_replaced_is_an_error(account, buzzflow):
    buzzflow("create", "projects")
    key = next(key for key in objects(account) if key.endswith("train.py"))
    account.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"evil", ChecksumAlgorithm="SHA256")
    done = buzzflow("create", "projects")
    assert done.returncode == 1
    assert "BF615" in done.stderr
    assert LOCK not in objects(account)


def test_code_for_the_toolkit_of_an_image_is_an_archive(account, repository, buzzflow):
    repository.change("code: train.py", "code: {entry_point: train.py, launcher: image}")
    repository.write("projects/research/churn/requirements.txt", "tabulate==0.9.0\n")
    assert buzzflow("create", "projects").returncode == 0
    key = next(key for key in objects(account) if key.endswith("sourcedir.tar.gz"))
    content = account.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        assert {"train.py", "requirements.txt"} <= {*tar.getnames()}
        assert {member.mtime for member in tar.getmembers()} == {0}
    hyperparameters = json.loads(account.pipeline(NAME).current.text)["Steps"][1]["Arguments"]["HyperParameters"]
    assert json.loads(hyperparameters["sagemaker_submit_directory"]) == f"s3://{BUCKET}/{key}"


def test_a_pipeline_that_somebody_deleted_is_created_again(account, buzzflow):
    buzzflow("create", "projects")
    account.client("sagemaker").delete_pipeline(PipelineName=NAME, ClientRequestToken="x" * 32)
    assert buzzflow("create", "projects").returncode == 0
    assert account.pipeline(NAME) is not None


def test_a_missing_permission_is_told_and_leaves_no_lock(account, buzzflow):
    account.faults.on("CreatePipeline", Fault.ACCESS_DENIED)
    done = buzzflow("create", "projects")
    assert done.returncode == 1
    assert "error[BF604]" in done.stderr
    assert "sagemaker:CreatePipeline" in done.stderr
    assert LOCK not in objects(account)


def test_credentials_of_another_account_are_refused(account, repository, buzzflow):
    text = (repository.root / "projects/research/environment.yaml").read_text()
    repository.write("projects/research/environment.yaml", text.replace("111122223333", "999999999999"))
    done = buzzflow("create", "projects")
    assert done.returncode == 1
    assert "BF602" in done.stderr
    assert writes(account) == []


def test_no_credentials_is_told_in_a_line(buzzflow):
    done = buzzflow("plan", "projects", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert done.returncode == 1
    assert "BF600" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_environment_for_ci_is_deployed_by_ci_alone(account, repository, buzzflow):
    text = (repository.root / "projects/research/environment.yaml").read_text()
    repository.write("projects/research/environment.yaml", f"{text}deploy_from: [ci]\n")
    done = buzzflow("create", "projects")
    assert done.returncode == 1
    assert "BF601" in done.stderr
    assert len(account.calls) == 0
    assert buzzflow("create", "projects", CI="true").returncode == 0


def test_a_missing_bucket_is_told(aws, buzzflow, account):
    account.client("s3").delete_bucket(Bucket=BUCKET)
    done = buzzflow("create", "projects")
    assert done.returncode == 1
    assert "BF606" in done.stderr


def test_an_environment_without_role_cannot_be_deployed_to(repository, buzzflow, account):
    text = (repository.root / "projects/research/environment.yaml").read_text()
    kept = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("role"))
    repository.write("projects/research/environment.yaml", kept)
    repository.change("defaults: {", "defaults: {role: 'arn:aws:iam::111122223333:role/steps', ")
    done = buzzflow("create", "projects")
    assert done.returncode == 1
    assert "BF401" in done.stderr


def test_two_files_of_one_name_are_refused(repository, buzzflow, account):
    repository.write("projects/research/other/pipeline.yaml", repository.file.read_text())
    for script in ("extract.py", "train.py"):
        repository.write(f"projects/research/other/{script}", "")
    done = buzzflow("create", "projects")
    assert done.returncode == 1
    assert "BF616" in done.stderr
    assert len(account.calls) == 0


def test_one_pipeline_s_problem_does_not_stop_the_others(repository, buzzflow, account):
    text = repository.file.read_text().replace("name: churn", "name: another")
    repository.write("projects/research/another/pipeline.yaml", text)
    for script in ("extract.py", "train.py"):
        repository.write(f"projects/research/another/{script}", "print(1)")
    account.faults.on("CreatePipeline", Fault.ACCESS_DENIED)
    done = buzzflow("create", "projects", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert [each["done"] for each in told["pipelines"]] == ["failed", "created"]
    assert [d["code"] for d in told["diagnostics"]] == ["BF604"]


@pytest.mark.parametrize("operation", ["DescribePipeline", "CreatePipeline", "GetCallerIdentity", "ListTags"])
def test_half_an_answer_is_asked_for_again(account, buzzflow, operation):
    account.faults.on(operation, Fault.TRUNCATED)
    done = buzzflow("create", "projects")
    assert done.returncode == 0, done.stderr
    assert account.pipeline(NAME) is not None
    assert "Traceback" not in done.stderr


def test_what_was_written_is_read_back(account, buzzflow, repository):
    """The service keeps the parallelism that somebody else has set, when an update names none."""
    buzzflow("create", "projects")
    account.client("sagemaker").update_pipeline(
        PipelineName=NAME, ParallelismConfiguration={"MaxParallelExecutionSteps": 9}
    )
    repository.change("parallelism: 4\n", "")
    done = buzzflow("create", "projects")
    assert done.returncode == 1
    assert "BF613" in done.stderr
    assert "parallelism" in done.stderr


def test_what_the_service_refuses_is_told_in_its_words(account, repository, buzzflow):
    tags = ", ".join(f"t{i}: x" for i in range(48))
    repository.change("owner: ads-ml", f"owner: ads-ml\ntags: {{{tags}}}")
    done = buzzflow("create", "projects")
    assert done.returncode == 1
    assert "error[BF605]: SageMaker refuses the pipeline" in done.stderr
    assert LOCK not in objects(account)


def test_who_writes_without_the_lock_is_a_conflict(account, repository, buzzflow):
    buzzflow("create", "projects")
    repository.change("parallelism: 4", "parallelism: 5")
    account.faults.on("UpdatePipeline", Fault.CONFLICT)
    done = buzzflow("create", "projects")
    assert done.returncode == 1
    assert "error[BF607]" in done.stderr
    assert buzzflow("create", "projects").returncode == 0


def test_a_deployment_after_one_that_did_not_end_says_so(account, repository, buzzflow):
    account.faults.on("CreatePipeline", Fault.ACCESS_DENIED)
    assert buzzflow("create", "projects").returncode == 1
    done = buzzflow("create", "projects")
    assert done.returncode == 0
    assert "warning[BF612]: the last deployment of" in done.stderr
    assert "BF612" not in buzzflow("create", "projects").stderr


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 1}', b"\xff\xfe"])
def test_a_damaged_journal_starts_anew(account, buzzflow, content):
    account.client("s3").put_object(Bucket=BUCKET, Key=JOURNAL, Body=content)
    done = buzzflow("create", "projects")
    assert done.returncode == 0
    assert "warning[BF612]" in done.stderr
    assert "BF612" not in buzzflow("create", "projects").stderr


def test_a_journal_of_a_newer_buzzflow_is_an_error(account, buzzflow):
    account.client("s3").put_object(Bucket=BUCKET, Key=JOURNAL, Body=b'{"format": 2}')
    done = buzzflow("create", "projects")
    assert done.returncode == 1
    assert "update buzzflow" in done.stderr
