"""Custom resources: their definitions, and annotations written as such."""

import sys
from typing import Annotated

import typer

from kfambassador.cli.files import Files, read_files
from kfambassador.cli.output import AT_FAULT, err, print_problems, stop
from kfambassador.problems import Problem, has_errors
from kfambassador.resources.crd import write_definitions
from kfambassador.resources.documents import write_documents
from kfambassador.resources.manifests import read_manifests
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import SourcedMapping, SourcedResource
from kfambassador.resources.writing import Version, write_resource
from kfambassador.routing.gateway import Gateway, build_gateway
from kfambassador.routing.policy import TenancyPolicy

# No namespace is called so: what was written without one is given none.
_UNSAID = "(none said)"


def crds() -> None:
    """Print the definitions of Ambassador's kinds, for a cluster that has none.

    Example: kfambassador crds | kubectl apply --server-side -f -
    """
    sys.stdout.write(write_definitions())


def convert(
    files: Files,
    to: Annotated[Version, typer.Option("--to", help="The API version to write.")] = Version.V3ALPHA1,
) -> None:
    """Write annotations, and resources of any version, as custom resources of one version.

    The Services themselves are not written; once the custom resources are applied, take the annotation off them, or the
    two have one name. What is at fault is left out, told on standard error, and makes the exit code 1.

    Example: kfambassador convert service.yaml | kubectl apply -f -
    """
    resources = read_manifests(read_files(files), namespace=_UNSAID)
    gateway = build_gateway(TenancyPolicy.laptop(), *resources.shared)
    problems = list(resources.problems)
    manifests: list[dict[str, object]] = []
    everything: list[SourcedResource | SourcedMapping] = [*resources.shared, *resources.mappings]
    for sourced in everything:
        manifest = _convert(sourced, gateway, to, problems)
        if manifest is not None:
            manifests.append(manifest)
    if manifests:
        sys.stdout.write(write_documents(*manifests))
    print_problems(problems, err)
    if has_errors(problems):
        stop(AT_FAULT)


def _convert(
    sourced: SourcedResource | SourcedMapping, gateway: Gateway, version: Version, problems: list[Problem]
) -> dict[str, object] | None:
    namespace = "" if sourced.namespace == _UNSAID else sourced.namespace
    resource = _write_limits_out(sourced.mapping, gateway) if isinstance(sourced, SourcedMapping) else sourced.resource
    written = write_resource(resource, namespace=namespace, version=version)
    problems += [fault.at(sourced.origin) for fault in written.faults]
    return written.manifest


def _write_limits_out(mapping: Mapping, gateway: Gateway) -> Mapping:
    """Put limits that v0 named into the mapping: what holds them is no custom resource."""
    fields = {name: getattr(mapping, name) for name in mapping.model_fields_set}
    breakers = gateway.circuit_breakers.get(mapping.circuit_breaker or "")
    if breakers is not None:
        del fields["circuit_breaker"]
        fields = {"circuit_breakers": breakers, **fields}
    detection = mapping.outlier_detection
    limits = gateway.outlier_detections.get(detection) if isinstance(detection, str) else None
    if limits is not None:
        fields["outlier_detection"] = limits
    return Mapping.model_validate(fields)
