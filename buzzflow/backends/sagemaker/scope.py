"""The parts of requests that several steps have, said about one pipeline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from buzzflow import ir
from buzzflow.backends import contract
from buzzflow.backends.sagemaker import places
from buzzflow.backends.sagemaker.images import Scope as Purpose
from buzzflow.backends.sagemaker.images import framework_image_uri
from buzzflow.backends.sagemaker.text import Object, Steps, say, say_tree


@dataclass(frozen=True)
class Scope:
    """Says things of one pipeline in the service's words."""

    pipeline: ir.Pipeline

    @cached_property
    def steps(self) -> Steps:
        """All steps by name."""
        return {step.name: step for step in self.pipeline.steps}

    @property
    def region(self) -> str:
        """The region; empty where there is none, which `check` reports."""
        return (self.pipeline.environment.region if self.pipeline.environment else None) or ""

    def say(self, value: ir.Value | float) -> object:
        """Return *value* as JSON."""
        return say(value, self.steps)

    def tree(self, tree: ir.Tree) -> object:
        """Return a part that is in the service's own words already."""
        return say_tree(tree, self.steps)

    def mapping(self, tree: ir.Tree) -> Object:
        """Return a part that is a mapping; none is an empty one."""
        said = self.tree(tree)
        return said if isinstance(said, dict) else {}

    def every(self, values: Iterable[ir.Value]) -> list[object]:
        """Return a list of values."""
        return [self.say(value) for value in values]

    def pairs(self, pairs: ir.Pairs) -> Object:
        """Return a mapping of values."""
        return {key: self.say(value) for key, value in pairs}

    def optional(self, **members: ir.Value | float | None) -> Object:
        """Return the members that have a value."""
        return {member: self.say(value) for member, value in members.items() if value is not None}

    def tags(self, tags: ir.Pairs) -> Object:
        """Return the member `Tags`, or nothing."""
        return {"Tags": [{"Key": key, "Value": self.say(value)} for key, value in tags]} if tags else {}

    def vpc(self, network: ir.Network | None) -> Object:
        """Return the member `VpcConfig`, or nothing."""
        if network is None or not network.subnets:
            return {}
        groups, subnets = self.every(network.security_group_ids), self.every(network.subnets)
        return {"VpcConfig": {"SecurityGroupIds": groups, "Subnets": subnets}}

    def network_config(self, network: ir.Network | None) -> Object:
        """Return the member `NetworkConfig` of processing jobs, or nothing."""
        if network is None:
            return {}
        config = {
            "EnableNetworkIsolation": self.say(network.isolation),
            "EnableInterContainerTrafficEncryption": self.say(network.encrypt_traffic),
            **self.vpc(network),
        }
        return {"NetworkConfig": config}

    def machines(self, job: ir.Job) -> Object:
        """Return the machines: a ClusterConfig, or a ResourceConfig."""
        instance = job.instance
        found: Object = {
            "InstanceType": self.say(instance.type),
            "InstanceCount": self.say(instance.count),
            "VolumeSizeInGB": self.say(instance.volume_size_gb),
            **self.optional(VolumeKmsKeyId=job.encryption.volume_key),
        }
        if instance.keep_alive is not None:
            found["KeepAlivePeriodInSeconds"] = instance.keep_alive
        if instance.fallbacks:
            first = [{"InstanceType": found.pop("InstanceType")}]
            found["InstancePreferences"] = first + [{"InstanceType": other} for other in instance.fallbacks]
        return found

    def image(self, image: ir.Image, instance: ir.Value | None, purpose: Purpose = "training") -> object:
        """Return the address of an image for machines of type *instance*."""
        match image:
            case ir.ImageUri(uri=uri):
                return self.say(uri)
            case ir.FrameworkImage():
                return framework_image_uri(image, instance, self.region, purpose)
            case ir.BuiltImage(context=context):
                return places.built_image_uri(self.pipeline, context)

    def environment(self, step: ir.Step) -> Object:
        """Return the member `Environment`, or nothing."""
        variables = self.pairs(contract.container_environment(step))
        return {"Environment": variables} if variables else {}

    def command(self, step: ir.Step, job: ir.Job) -> Object:
        """Return what the container starts, where that is not the image's own."""
        found: Object = {}
        if (entrypoint := contract.container_entrypoint(step)) is not None:
            found["ContainerEntrypoint"] = self.every(entrypoint)
        if job.arguments:
            found["ContainerArguments"] = self.every(job.arguments)
        return found

    def output_uri(self, step: ir.Step, name: str) -> object:
        """Return the address of an output: the one declared, else a folder of the run."""
        job = ir.job_of(step)
        declared = next((o.to for o in job.outputs if o.name == name), None) if job else None
        return self.say(declared or places.default_uri(self.pipeline, step, name))
