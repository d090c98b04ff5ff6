"""Say the values of the IR as expressions of a run plan."""

from __future__ import annotations

from typing import assert_never

from buzzflow import ir
from buzzflow.backends.local import plan


def expression(value: ir.Value) -> plan.Expression:
    """Return text, or how to look it up."""
    match value:
        case str():
            return value
        case ir.Text(parts=parts):
            return plan.Join(parts=[p if isinstance(p, str) else lookup(p) for p in parts])
        case _:
            return lookup(value)


def number(value: ir.Number) -> plan.NumberExpression:
    """Return a number, or how to look it up."""
    return value if isinstance(value, int) else lookup(value)


def tree(value: ir.Tree) -> plan.Tree:
    """Return JSON with expressions in it."""
    match value:
        case ir.Mapping(items=items):
            return plan.Members(of={key: tree(inner) for key, inner in items})
        case ir.Sequence(items=items):
            return plan.Items(of=[tree(inner) for inner in items])
        case None | bool() | int() | float():
            return value
        case _:
            return expression(value)


def lookup(reference: ir.Reference) -> plan.Lookup:
    """Return how to look *reference* up."""
    match reference:
        case ir.ParameterReference(parameter=name):
            return plan.ParameterValue(name=name)
        case ir.OutputReference(step=step, output=name, kind=ir.Kind.URI):
            return plan.OutputAddress(step=step, name=name)
        case ir.OutputReference(step=step, output=name):  # a value that a call gave back
            return plan.StepProperty(step=step, word=f"outputs.{name}")
        case ir.PropertyReference(step=step, word=word):
            return plan.StepProperty(step=step, word=word)
        case ir.DescribeReference(step=step, path=path):
            return plan.DescribePath(step=step, path=list(path))
        case ir.JsonReference(step=step, file=report, path=path):
            return plan.ReportValue(step=step, report=report, path=list(path))
        case ir.RunReference(field=field):
            return plan.RunValue(field=field)
        case ir.StoredJsonReference(uri=uri, path=path):
            return plan.StoredValue(uri=expression(uri), path=list(path))
        case ir.ItemReference(path=path):
            return plan.ItemValue(path=list(path))
        case _:
            assert_never(reference)


def _scalar(operand: ir.Operand) -> plan.Scalar:
    return operand if isinstance(operand, str | int | float | bool) else lookup(operand)


def condition(test: ir.Test) -> plan.Test:
    """Return *test* with its references as expressions."""
    match test:
        case ir.Comparison(operator=operator, left=left, right=right):
            return plan.Compare(operator=operator, left=_scalar(left), right=_scalar(right))
        case ir.Membership(value=value, options=options):
            return plan.Member(value=_scalar(value), options=[_scalar(o) for o in options])
        case ir.Not(test=inner):
            return plan.Negation(of=condition(inner))
        case ir.All(tests=tests):
            return plan.Every(of=[condition(t) for t in tests])
        case ir.Any(tests=tests):
            return plan.Some(of=[condition(t) for t in tests])
        case _:
            assert_never(test)


# ------------------------------------------------------------------ images and data


def image(given: ir.Image) -> plan.Image:
    """Return what names an image."""
    match given:
        case ir.ImageUri(uri=uri):
            return expression(uri)
        case ir.FrameworkImage(framework=framework, version=version):
            return plan.Framework(framework=framework, version=version)
        case ir.BuiltImage(context=context):
            return plan.Build(digest=context.digest, files=files(context))
        case _:
            assert_never(given)


def files(bundle: ir.Bundle) -> list[plan.CodeFile]:
    """Return the files of *bundle*."""
    return [plan.CodeFile(path=f.path, sha256=f.sha256, size=f.size, executable=f.executable) for f in bundle.files]


def output(given: ir.Output) -> plan.Output:
    """Return an output, and how to look its address up."""
    return plan.Output(
        name=given.name,
        path=given.path,
        to=None if given.to is None else expression(given.to),
        reports={r.name: r.file for r in given.reports},
    )
