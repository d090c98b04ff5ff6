"""What steps read and write."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from buzzflow.config.values import Boolean, Config, InputMode, Literally, Text, Word

DataType = Annotated[Literal["prefix", "manifest", "augmented_manifest"], Word]
Compression = Annotated[Literal["none", "gzip"], Word]
_SOURCES = ("from", "file_system", "athena", "redshift")


class FileSystemConfig(Config):
    """A folder of a file system in the VPC (training)."""

    id: Text = Field(description="fs-… of Amazon EFS or Amazon FSx for Lustre.")
    type: Annotated[Literal["efs", "fsx"], Word] = Field(description="Which of the two it is.")
    folder: Text = Field(description="Folder in it, from its root: /data/train.")
    access: Annotated[Literal["read", "write"], Word] = Field("read", description="write mounts it writable.")


class AthenaConfig(Config):
    """The answer to a query of Amazon Athena (processing)."""

    query: Text = Field(description="The SQL.")
    database: Text = Field(description="Its database.")
    catalog: Text = Field("AwsDataCatalog", description="Its catalog.")
    work_group: Text | None = Field(None, description="Work group that runs it.")
    to: Text = Field(description="s3://… for the answer.")
    format: Annotated[Literal["parquet", "orc", "avro", "json", "textfile"], Word] = Field(
        "parquet", description="Format of the answer."
    )
    compression: Annotated[Literal["gzip", "snappy", "zlib"], Word] | None = Field(
        None, description="Compression of the answer."
    )


class RedshiftConfig(Config):
    """The answer to a query of Amazon Redshift (processing)."""

    query: Text = Field(description="The SQL.")
    cluster: Text = Field(description="Id of the cluster.")
    database: Text = Field(description="Its database.")
    user: Text = Field(description="Database user.")
    cluster_role: Text = Field(description="ARN of the role with which the cluster writes the answer.")
    to: Text = Field(description="s3://… for the answer.")
    format: Annotated[Literal["parquet", "csv"], Word] = Field("parquet", description="Format of the answer.")
    compression: Annotated[Literal["none", "gzip", "bzip2", "zstd", "snappy"], Word] | None = Field(
        None, description="Compression of the answer."
    )


class InputConfig(Config):
    """Data that a step reads: exactly one of from, file_system, athena and redshift."""

    from_: Text | None = Field(
        None, alias="from", description="s3://…, ${step:…}, or ./file or ./folder of the repository."
    )
    file_system: FileSystemConfig | None = Field(None, description="A folder in EFS or FSx (training).")
    athena: AthenaConfig | None = Field(None, description="The answer to a query of Athena (processing).")
    redshift: RedshiftConfig | None = Field(None, description="The answer to a query of Redshift (processing).")
    path: Literally | None = Field(None, description="Folder in the container (processing).")
    content_type: Text | None = Field(None, description="MIME type (training).")
    distribution: Annotated[Literal["replicate", "shard"], Word] = Field(
        "replicate", description="All data to every machine, or a part."
    )
    mode: InputMode | None = Field(None, description="How the data arrives.")
    data_type: DataType = Field("prefix", description="What the address names.")
    compression: Compression = Field("none", description="Compression of the records (training).")
    extract: Boolean = Field(default=False, description="Unpack the .tar.gz archives in it before the script starts.")
    group: Literally | None = Field(
        None, description="Set by gathering the copies of a foreach, not by hand.", exclude=True
    )
    key: Literally | None = Field(
        None, description="Set by gathering the copies of a foreach, not by hand.", exclude=True
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [s for s in (self.from_, self.file_system, self.athena, self.redshift) if s is not None]
        if len(given) != 1:
            raise PydanticCustomError(
                "one_of", "an input has one source: {sources}", {"sources": " or ".join(_SOURCES)}
            )
        if self.extract and self.from_ is None:
            raise PydanticCustomError("one_of", "extract unpacks archives that come with from")
        return self


class AutoMLInputConfig(Config):
    """A table for AutoML."""

    from_: Text = Field(alias="from", description="s3://… or ${step:…}.")
    content_type: Text | None = Field(None, description="MIME type of its files.")
    compression: Compression = Field("none", description="Compression of its files.")


class TransformInputConfig(Config):
    """The records that a transform step sends to a model."""

    from_: Text = Field(alias="from", description="s3://… or ${step:…}.")
    content_type: Text | None = Field(None, description="MIME type of a record.")
    data_type: DataType = Field("prefix", description="What the address names.")
    compression: Compression = Field("none", description="Compression of the files.")
    split: Annotated[Literal["none", "line", "recordio", "tfrecord"], Word] = Field(
        "none", description="How a file is split into records."
    )


class DatasetConfig(Config):
    """The data that a check looks at."""

    from_: Text = Field(alias="from", description="s3://… or ${step:…}.")


class CheckInputConfig(DatasetConfig):
    """The data that a quality check looks at."""

    format: Annotated[Literal["csv", "csv_no_header", "json_lines", "json", "parquet"], Word] = Field(
        "csv", description="Format of its files."
    )


class OutputConfig(Config):
    """Data that a step writes."""

    to: Text | None = Field(None, description="s3://… ending in /; chosen by buzzflow when not given.")
    feature_group: Text | None = Field(None, description="Name of a feature group in SageMaker Feature Store, instead.")
    path: Literally | None = Field(None, description="Folder in the container.")
    upload: Annotated[Literal["end", "continuous"], Word] = Field("end", description="When the data is stored.")
    report_files: dict[str, Literally] = Field(
        {}, alias="json", description="Files in the folder whose values ${json:…} reads: a file, or {name: file}."
    )

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if self.feature_group is not None and (self.to is not None or self.report_files):
            raise PydanticCustomError("one_of", "feature_group stands in place of to, and has no JSON reports")
        return self


class ModelOutputConfig(Config):
    """Where a job puts its result."""

    to: Text | None = Field(None, description="s3://… ending in /; chosen by buzzflow when not given.")


class TransformOutputConfig(Config):
    """What the model answered."""

    to: Text | None = Field(None, description="s3://… ending in /; chosen by buzzflow when not given.")
    accept: Text | None = Field(None, description="MIME type that the model is asked for.")
    assemble: Annotated[Literal["none", "line"], Word] = Field("none", description="How answers are put together.")


class CallOutputConfig(Config):
    """A value that a function or a queue's worker gives back."""

    type: Annotated[Literal["string", "integer", "float", "boolean"], Word] = Field("string", description="What it is.")
