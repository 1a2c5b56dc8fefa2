"""Objects as the API tells them, also those that somebody wrote to do harm."""

import json

import pytest

from kfambassador.kube.objects import read_object


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize("levels", [300, 100_000])
def test_a_bottomless_object_hides_none_of_its_neighbours(levels: int) -> None:
    neighbour = {"name": 'm "[{', "list": [1, [2]]}
    text = f'{{"items": [{json.dumps(neighbour)}, {nested(levels)}, {"[" * levels}{"]" * levels}, "\\"", 7]}}'
    first, _, _, *rest = read_object(text.encode())["items"]
    assert (first, rest) == (neighbour, ['"', 7])


def test_what_is_no_object_is_refused() -> None:
    for text in (b"[]", b"{", b"[" * 100_000, b'{"a": "'):
        with pytest.raises(ValueError):  # noqa: PT011 - json's own message
            read_object(text)
