"""What AWS refuses is told in the user's terms, with AWS's own words."""

from __future__ import annotations

import pytest
from botocore import exceptions as aws

from buzzflow.backends.sagemaker.aws.account import DeadlineError
from buzzflow.backends.sagemaker.aws.errors import aws_errors, diagnostic_of
from buzzflow.backends.sagemaker.deploying.write import _refusal
from buzzflow.diagnostics import PipelineError
from buzzflow.driver.deploy import ready_pipelines

DENIED = (
    "User: arn:aws:sts::111122223333:assumed-role/deploy/ci is not authorized to perform: sagemaker:UpdatePipeline on "
    "resource: arn:aws:sagemaker:us-west-2:111122223333:pipeline/churn because no identity-based policy allows the "
    "sagemaker:UpdatePipeline action"
)


def refusal(code, message, operation="UpdatePipeline"):
    return aws.ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (refusal("AccessDeniedException", DENIED), "BF604", "role deploy may not sagemaker:UpdatePipeline on arn:aws:"),
        (refusal("AccessDenied", "Access Denied", "PutObject"), "BF604", "may not PutObject: Access Denied"),
        (refusal("403", "Forbidden", "HeadObject"), "BF604", "may not HeadObject"),
        (refusal("ExpiredTokenException", "The security token is expired"), "BF600", "have expired"),
        (refusal("UnrecognizedClientException", "The security token is invalid"), "BF600", "does not know these"),
        (refusal("RequestTimeTooSkewed", "The difference is too large"), "BF600", "clock is wrong"),
        (refusal("ThrottlingException", "Rate exceeded"), "BF603", "too busy for UpdatePipeline: Rate exceeded"),
        (refusal("NoSuchBucket", "The specified bucket does not exist"), "BF606", "does not exist"),
        (refusal("TeapotException", "I'm a teapot"), "BF608", "AWS refuses UpdatePipeline: I'm a teapot (TeapotExc"),
        (aws.NoCredentialsError(), "BF600", "no AWS credentials"),
        (aws.ProfileNotFound(profile="x"), "BF600", "names no profile"),
        (aws.UnauthorizedSSOTokenError(), "BF600", "login to AWS has expired"),
        (aws.EndpointConnectionError(endpoint_url="http://x"), "BF603", "cannot be reached"),
        (aws.ReadTimeoutError(endpoint_url="http://x"), "BF603", "cut off"),
        (aws.ParamValidationError(report="bad"), "BF608", "boto3 could not ask AWS"),
        (
            DeadlineError("UpdatePipeline", 90, "Rate exceeded"),
            "BF603",
            "UpdatePipeline has not succeeded in 90 seconds",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("BF") else "",
)
def test_an_error_of_aws_is_a_diagnostic(error, code, told):
    found = diagnostic_of(error, ("steps", "train"))
    assert found is not None
    assert (found.code, found.path) == (code, ("steps", "train"))
    assert told in found.summary


def test_a_missing_permission_names_the_role_and_what_to_give_it():
    found = diagnostic_of(refusal("AccessDeniedException", DENIED))
    assert found.hint == (
        "give role deploy the permission sagemaker:UpdatePipeline on "
        "arn:aws:sagemaker:us-west-2:111122223333:pipeline/churn"
    )
    assert "no identity-based policy" in found.summary


def test_what_is_not_of_aws_passes():
    with pytest.raises(ZeroDivisionError), aws_errors():
        raise ZeroDivisionError
    with pytest.raises(PipelineError, match="BF603") as caught, aws_errors():
        raise aws.ConnectTimeoutError(endpoint_url="http://x")
    assert isinstance(caught.value.__cause__, aws.ConnectTimeoutError)


def test_a_refusal_that_names_a_step_points_at_it(repository):
    [ready] = ready_pipelines([repository.file], ())
    error = refusal("ValidationException", "Unable to parse pipeline definition. Step 'train' refers to [extract-2]")
    assert _refusal(error, ready.wanted).path == ("steps", "train")
    assert _refusal(refusal("ValidationException", "Something else"), ready.wanted).path == ()
