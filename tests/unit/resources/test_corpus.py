"""Annotations and manifests as the public wrote them, where a folder of them lies beside the project."""

import json
from pathlib import Path

import pytest

from kfambassador.problems import Severity
from kfambassador.resources.manifests import read_manifests
from kfambassador.routing.compile import compile_routes

FOLDER = Path(__file__).parents[4] / "shared" / "corpus"

#: What a file without a fault may be told as an error: an attribute that a later release will serve, and whose absence
#: would send requests elsewhere. Everything else in such a file is ours to read.
NOT_YET = "attribute-not-served"

#: An annotation by another name than getambassador.io/config, which is nobody's configuration.
OLD_KEY = "annotation:Service:oldkey"


def entries() -> list[dict[str, object]]:
    index = FOLDER / "index.jsonl"
    return [json.loads(line) for line in index.read_text().splitlines()] if index.exists() else []


@pytest.mark.skipif(not entries(), reason=f"there is no folder {FOLDER.name} beside the project")
@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry["file"])
def test_good_files_are_read_and_bad_ones_are_told_of(entry: dict[str, object]) -> None:
    name = str(entry["file"])
    resources = read_manifests([(name, (FOLDER / "annotations" / name).read_text())])
    problems = compile_routes(resources).problems
    errors = {problem.code for problem in problems if problem.severity is Severity.ERROR}
    if not entry["well_formed"]:
        assert problems
        return
    assert errors <= {NOT_YET}
    if entry["ambassador_documents"] and entry["carrier"] != [OLD_KEY]:
        assert resources.mappings or problems
