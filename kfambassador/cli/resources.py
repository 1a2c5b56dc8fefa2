"""Custom resources: their definitions, and annotations written as such."""

import sys
from typing import Annotated

import typer

from kfambassador.cli.files import Files, read_files
from kfambassador.cli.output import AT_FAULT, err, print_problems, stop
from kfambassador.problems import has_errors
from kfambassador.resources.crd import write_definitions
from kfambassador.resources.documents import write_documents
from kfambassador.resources.manifests import read_manifests
from kfambassador.resources.writing import Version
from kfambassador.sdk.reviewing import convert_resources

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
    converted = convert_resources(resources, version=to, unsaid=_UNSAID)
    problems = [*resources.problems, *(problem for each in converted for problem in each.problems)]
    manifests = [each.manifest for each in converted if each.manifest is not None]
    if manifests:
        sys.stdout.write(write_documents(*manifests))
    print_problems(problems, err)
    if has_errors(problems):
        stop(AT_FAULT)
