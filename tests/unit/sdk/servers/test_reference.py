"""The reference of model servers says what the servers do, and shows each of them."""

import re
from pathlib import Path

import pytest

import kfambassador as kfa
from kfambassador.sdk.servers.base import ModelServer
from tests.unit.sdk.servers.published import KINDS, SERVERS, find_upstream, publish

PAGE = (Path(__file__).parents[4] / "docs" / "reference" / "servers.md").read_text()
ROWS = {row[0].strip("`"): row for row in re.findall(r"^\| (`\w+`)" + r" \| ([^|]*)" * 5 + r" \|$", PAGE, re.MULTILINE)}
EXAMPLES = re.findall(r"server=(kfa\.\w+\(.*?\))[,)]?\n?[,)]*$", PAGE, re.MULTILINE)


def test_every_server_is_in_the_table_and_no_other() -> None:
    assert sorted(ROWS) == sorted(kind.__name__ for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_its_row_says_what_it_does(kind: type[ModelServer]) -> None:
    _, base, port, predict, health, time = (cell.strip().strip("`") for cell in ROWS[kind.__name__])
    server = kind.model_validate({})
    assert (base, port) == (server.base("NAME"), str(server.port))
    if kind is kfa.HTTPServer:
        return
    assert health == server.health_path("NAME")
    asked = find_upstream(publish(("NAME", server)), "POST", base)
    assert asked is not None
    assert asked[1] == predict
    streams = any(route.attributes.get("timeout_ms") == 0 for route in server.routes("NAME", base))
    assert time == ("any time, 300 s of silence" if streams else "300 s")


def test_every_server_has_an_example_that_can_be_published() -> None:
    servers = [eval(text, {"kfa": kfa}) for text in EXAMPLES]
    assert sorted(type(server).__name__ for server in servers) == sorted(kind.__name__ for kind in KINDS)
    for server in servers:
        assert publish(("example", server)).routes()


def test_the_cases_of_the_tests_are_all_of_them() -> None:
    assert {type(server) for server in SERVERS.values()} == set(KINDS)
