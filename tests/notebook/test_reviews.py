"""Reviews of large configuration and of lists, as they are drawn below a cell."""

from itertools import pairwise
from typing import Any

import pytest

from kfambassador.notebook.magics import drawing
from kfambassador.notebook.magics.drawing import Review, find_line
from kfambassador.resources.documents import read_documents
from kfambassador.sdk.reviewing import compile_texts

MAPPING = """\
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {{name: m{0}}}
spec:
  hostname: "*"
  prefix: /m{0}/
  service: 127.0.0.1:9
  timout_ms: {0}
"""

#: As kubectl writes several objects.
LIST = """\
apiVersion: v1
items:
- apiVersion: getambassador.io/v3alpha1
  kind: Mapping
  metadata:
    labels:
    - first
    name: first
  spec:
    hostname: "*"
    prefix: /first/
    service: 127.0.0.1:9
- apiVersion: getambassador.io/v3alpha1
  kind: Mapping
  metadata:
    name: second
  spec:
    hostname: "*"
    prefix: 5
    service: 127.0.0.1:9
kind: List
"""


def test_a_text_is_read_once_however_much_is_wrong_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "---\n".join(MAPPING.format(number) for number in range(40))
    review = Review(text, compile_texts([("", text)]).problems)
    read = []

    def count(*arguments: Any) -> Any:
        read.append(1)
        return read_documents(*arguments)

    monkeypatch.setattr(drawing, "read_documents", count)
    lines = repr(review).splitlines()
    assert len(read) == 1
    noted = [before for before, line in pairwise(lines) if line.startswith("   ^")]
    assert [line.split()[1:] for line in noted] == [["timout_ms:", str(number)] for number in range(40)]


def test_of_a_list_each_item_has_its_own_lines() -> None:
    [problem] = [each for each in compile_texts([("", LIST)]).problems if each.path == "spec.prefix"]
    assert LIST.splitlines()[find_line(LIST, problem) - 1] == "    prefix: 5"
    # Where items have no lines of their own, it is somewhere in the list.
    flowing = "{kind: List, apiVersion: v1, items: [{apiVersion: getambassador.io/v3alpha1, kind: Mapping,\n"
    flowing += " metadata: {name: m}, spec: {hostname: '*', prefix: 5, service: a}}]}"
    [problem] = [each for each in compile_texts([("", flowing)]).problems if each.path == "spec.prefix"]
    assert find_line(flowing, problem) == 2
