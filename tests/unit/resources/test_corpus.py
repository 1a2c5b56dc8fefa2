"""Annotations and manifests as the public wrote them, where a folder of them lies beside the project."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping as Dict
from pathlib import Path
from typing import Any

import pytest

from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.problems import Origin, Problem, Severity, has_errors
from kfambassador.resources.documents import FILE_LIMITS, read_documents
from kfambassador.resources.fields import as_object, as_text
from kfambassador.resources.gateway import GatewayResource
from kfambassador.resources.kinds import is_ambassadors
from kfambassador.resources.manifests import read_manifests
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import ResourceSet
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.policy import TenancyPolicy

FOLDER = Path(__file__).parents[4] / "shared" / "corpus"

#: What a file without a fault of form may be refused for: it speaks of what another file would hold, or asks for what
#: nobody gets.
REFUSALS = {
    "unknown-resolver": "the resolver is in no file of this one",
    "unknown-context": "nor is the TLSContext",
    "shadow-alone": "nor is the mapping whose requests would be copied",
    "cors-credentials": "any page could use its visitors' cookies",
    "lua-not-allowed": "a script sees everybody's requests",
}
#: A header's settings stand beside it instead of below, which made no label in Ambassador either.
MISTAKEN = {"164.yaml": "unknown-attribute"}

#: An annotation by another name than getambassador.io/config, which is nobody's configuration.
OLD_KEY = "annotation:Service:oldkey"

#: What says which resource it is rather than what it does.
IDENTITY = {"apiVersion", "kind", "name", "namespace", "generation", "metadata_labels", "metadata", "status"}

Written = dict[str, Any]
Place = tuple[str, int]


def entries() -> list[dict[str, Any]]:
    index = FOLDER / "index.jsonl"
    return [json.loads(line) for line in index.read_text().splitlines()] if index.exists() else []


GOOD = [entry for entry in entries() if entry["well_formed"]]
BAD = [entry for entry in entries() if not entry["well_formed"]]

present = pytest.mark.skipif(not entries(), reason=f"there is no folder {FOLDER.name} beside the project")


def read(entry: dict[str, Any]) -> tuple[str, ResourceSet, tuple[Problem, ...]]:
    """A file's text, what was read from it, and all that is to be said of it."""
    name = str(entry["file"])
    text = (FOLDER / "annotations" / name).read_text()
    resources = read_manifests([(name, text)])
    return text, resources, compile_routes(resources, TenancyPolicy.laptop()).problems


def list_written(text: str) -> Iterator[tuple[Place, Written]]:
    """Every document of Ambassador's in a file, and its place."""
    for document in read_documents(text, FILE_LIMITS):
        manifest = as_object(document.value)
        items = manifest.get("items")
        for item in map(as_object, items) if isinstance(items, list) else [manifest]:
            metadata = as_object(item.get("metadata"))
            place = f"{item.get('kind')} {metadata.get('namespace') or 'default'}/{metadata.get('name')}"
            if is_ambassadors(item.get("apiVersion")):
                yield (place, 0) if "metadata" in item else ("", document.number), {**item}
            for inner in read_documents(as_text(as_object(metadata.get("annotations")).get(CONFIG_ANNOTATION))):
                yield (place, inner.number), {**as_object(inner.value)}


def place_of(origin: Origin) -> Place:
    return str(origin.object or ""), origin.document or 0


def find_lost(written: Written, resource: Mapping | GatewayResource, told: list[Problem]) -> list[str]:
    """The fields of a document that are neither in the resource nor told of."""
    fields = as_object(written.get("spec")) if "spec" in written or "metadata" in written else written
    inside = as_object(fields.get("config")) if written.get("kind") == "Module" else {}
    named = {**{key: value for key, value in fields.items() if key not in IDENTITY and key != "config"}, **inside}
    paths = " ".join(f".{problem.path}." for problem in told)
    lost = []
    for name, value in named.items():
        kept = getattr(resource, name, None) if name in resource.model_fields_set else None
        if value is not None and f".{name}." not in paths.replace("[", ".") and not holds(kept, value):
            lost.append(f"{name}: {value!r} became {kept!r}")
    return lost


def holds(kept: object, value: object) -> bool:
    """Tell whether every word and number that was written is in what was kept."""
    words = Counter(list_leaves(value))
    text = str(kept)
    return kept is not None and all(str(word) in text for word in words)


def list_leaves(value: object) -> Iterator[object]:
    if isinstance(value, Dict):
        for each in value.values():
            yield from list_leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from list_leaves(each)
    elif isinstance(value, str):
        yield from (part.strip() for part in value.split(","))
    elif value is not None and not isinstance(value, bool):
        yield value


@present
@pytest.mark.parametrize("entry", GOOD, ids=lambda entry: entry["file"])
def test_good_files_are_read_without_loss(entry: dict[str, Any]) -> None:
    text, resources, problems = read(entry)
    errors = {problem.code for problem in problems if problem.severity is Severity.ERROR}
    assert errors <= {*REFUSALS, MISTAKEN.get(entry["file"], "")}
    known: dict[Place, Mapping | GatewayResource] = {
        place_of(each.origin): each.mapping for each in resources.mappings
    } | {place_of(each.origin): each.resource for each in resources.shared}
    for place, written in list_written(text):
        told = [problem for problem in problems if place_of(problem.origin) == place]
        if place in known:
            assert find_lost(written, known[place], told) == []
        else:
            assert told, f"{place} is neither read nor told of"


@present
@pytest.mark.parametrize("entry", BAD, ids=lambda entry: entry["file"])
def test_bad_documents_are_refused_alone_with_their_place(entry: dict[str, Any]) -> None:
    text, resources, problems = read(entry)
    refused = {place_of(problem.origin) for problem in problems if problem.severity is Severity.ERROR}
    assert refused
    assert all(problem.origin.file == entry["file"] for problem in problems)
    known = {place_of(each.origin) for each in resources.mappings}
    known |= {place_of(each.origin) for each in resources.shared}
    written = {place for place, _ in list_written(text)}
    assert written <= known | refused | {place_of(problem.origin) for problem in problems}


@present
def test_the_count(capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, documents, mappings = 0, 0, 0, 0
    for entry in entries():
        text, resources, problems = read(entry)
        good += not has_errors(problems)
        bad += has_errors(problems)
        documents += sum(1 for _ in list_written(text))
        mappings += len(resources.mappings)
    with capsys.disabled():
        sys.stdout.write(f"\n{good + bad} files of the public's: {documents} documents, {mappings} mappings read; ")
        sys.stdout.write(f"{bad} files with errors, each told with its place\n")
    ours = [entry for entry in entries() if entry["carrier"] != [OLD_KEY]]
    assert documents == sum(entry["ambassador_documents"] for entry in ours)
