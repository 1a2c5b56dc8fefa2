"""What a notebook completes: it has the gateway itself at hand, and asks jedi as IPython does."""

import jedi  # type: ignore[import-untyped]  # it ships no types
import pytest

import kfambassador as kfa

# Two jedis that fill their cache at once read each other's files half written.
pytestmark = pytest.mark.xdist_group("completion")


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("gateway.ex", "expose"),
        ("gateway.expose('m', ti", "timeout_ms="),
        ("gateway.expose('m', serv", "service="),
        ("gateway.diff('m', tt", "ttl="),
        ("mnist.canary('m2', host_r", "host_rewrite="),
        ("mnist.shadow('m3', load", "load_balancer="),
        ("kfa.render('m', redirect_", "redirect_response_code="),
        ("kfa.TFS", "TFServing"),
        ("kfa.KServeV2(grpc", "grpc_port="),
    ],
)
def test_a_keyword_is_completed(typed: str, completed: str) -> None:
    # Without their connections: nothing is called.
    names = {"kfa": kfa, "gateway": object.__new__(kfa.Gateway), "mnist": object.__new__(kfa.Exposure)}
    assert completed in {each.name for each in jedi.Interpreter(typed, [names]).complete()}
