"""The fake's S3: conditions that exclude, digests that are compared, owners that are asked for."""

from __future__ import annotations

import base64
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

BUCKET = "example-research-ml"


@pytest.fixture
def s3(aws):
    aws.make_bucket(BUCKET)
    return aws.client("s3")


def test_an_object_is_made_only_where_there_is_none(s3, refused):
    s3.put_object(Bucket=BUCKET, Key="lock", Body=b"1", IfNoneMatch="*")
    with refused("PreconditionFailed", "pre-conditions", 412):
        s3.put_object(Bucket=BUCKET, Key="lock", Body=b"2", IfNoneMatch="*")
    assert s3.get_object(Bucket=BUCKET, Key="lock")["Body"].read() == b"1"


def test_an_object_is_replaced_only_if_it_is_the_one_that_was_seen(s3, refused):
    first = s3.put_object(Bucket=BUCKET, Key="lock", Body=b"1")["ETag"]
    second = s3.put_object(Bucket=BUCKET, Key="lock", Body=b"2", IfMatch=first)["ETag"]
    with refused("PreconditionFailed", status=412):
        s3.put_object(Bucket=BUCKET, Key="lock", Body=b"3", IfMatch=first)
    with refused("NoSuchKey", status=404):
        s3.put_object(Bucket=BUCKET, Key="none", Body=b"3", IfMatch=second)
    with refused("NotImplemented", status=501):
        s3.put_object(Bucket=BUCKET, Key="lock", Body=b"3", IfNoneMatch=second)


def test_an_object_is_deleted_only_if_it_is_the_one_that_was_seen(s3, refused):
    etag = s3.put_object(Bucket=BUCKET, Key="lock", Body=b"1")["ETag"]
    with refused("PreconditionFailed", status=412):
        s3.delete_object(Bucket=BUCKET, Key="lock", IfMatch='"0"')
    s3.delete_object(Bucket=BUCKET, Key="lock", IfMatch=etag)
    with refused("NoSuchKey", status=404):
        s3.delete_object(Bucket=BUCKET, Key="lock", IfMatch=etag)


def test_one_of_many_concurrent_writers_wins(s3):
    barrier = threading.Barrier(8)

    def take(n):
        barrier.wait()
        try:
            s3.put_object(Bucket=BUCKET, Key="lock", Body=str(n).encode(), IfNoneMatch="*")
        except ClientError as e:
            return e.response["Error"]["Code"]
        return n

    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            found = [*pool.map(take, range(8))]
            [winner] = [n for n in found if isinstance(n, int)]
            assert s3.get_object(Bucket=BUCKET, Key="lock")["Body"].read() == str(winner).encode()
            assert {*found} - {winner} == {"PreconditionFailed"}
            s3.delete_object(Bucket=BUCKET, Key="lock")


def test_a_deletion_during_a_conditional_write_is_a_conflict(aws, s3, refused):
    s3.put_object(Bucket=BUCKET, Key="lock", Body=b"1")
    original = aws._s3._check_owner

    def meanwhile(request, operation):
        if operation.name == "PutObject":
            aws._s3._removed[operation.resource] += 1
        original(request, operation)

    aws._s3._check_owner = meanwhile
    try:
        with refused("ConditionalRequestConflict", status=409):
            s3.put_object(Bucket=BUCKET, Key="lock", Body=b"2", IfNoneMatch="*")
    finally:
        del aws._s3._check_owner


def test_a_wrong_checksum_is_a_bad_digest(s3, refused):
    right = base64.b64encode(hashlib.sha256(b"abc").digest()).decode()
    s3.put_object(Bucket=BUCKET, Key="code", Body=b"abc", ChecksumSHA256=right)
    assert s3.head_object(Bucket=BUCKET, Key="code", ChecksumMode="ENABLED")["ChecksumSHA256"] == right
    with refused("BadDigest", "The SHA256 you specified did not match the calculated checksum", 400):
        s3.put_object(Bucket=BUCKET, Key="other", Body=b"abd", ChecksumSHA256=right)
    with refused("InvalidRequest", "x-amz-checksum-sha256"):
        s3.put_object(Bucket=BUCKET, Key="other", Body=b"abd", ChecksumSHA256="AA==")
    with refused("BadDigest", "Content-MD5"):
        s3.put_object(Bucket=BUCKET, Key="other", Body=b"abd", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1


@pytest.mark.parametrize("call", ["head_object", "get_object", "put_object", "delete_object", "list_objects_v2"])
def test_another_owner_than_expected_is_denied(s3, refused, call):
    s3.put_object(Bucket=BUCKET, Key="code", Body=b"", ExpectedBucketOwner="111122223333")
    members = {"Bucket": BUCKET} if call.startswith("list") else {"Bucket": BUCKET, "Key": "code"}
    with refused("403" if call == "head_object" else "AccessDenied", status=403):
        getattr(s3, call)(**members, ExpectedBucketOwner="999988887777")


def test_the_bucket_of_another_account_is_denied(aws, s3, refused):
    aws.make_bucket("somebody-else", owner="999988887777")
    with refused("AccessDenied", status=403):
        s3.put_object(Bucket="somebody-else", Key="code", Body=b"", ExpectedBucketOwner="999988887777")


def test_missing_things_are_missing(s3, refused):
    with refused("NoSuchBucket", status=404):
        s3.put_object(Bucket="no-such-bucket", Key="k", Body=b"", ExpectedBucketOwner="111122223333")
    with refused("NoSuchKey", status=404):
        s3.get_object(Bucket=BUCKET, Key="none")
    with refused("404", status=404):
        s3.head_object(Bucket=BUCKET, Key="none")


def test_large_objects_go_up_in_parts(s3, tmp_path):
    content = bytes(range(256)) * 40_000
    (tmp_path / "big").write_bytes(content)
    s3.upload_file(str(tmp_path / "big"), BUCKET, "big")
    assert s3.get_object(Bucket=BUCKET, Key="big")["Body"].read() == content
