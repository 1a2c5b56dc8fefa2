"""What a route browser asks: answered by a real gateway, and what is no question is refused in words."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

import kfambassador as kfa
from kfambassador.errors import ConfigurationError, KfAmbassadorError, NotFound
from kfambassador.local.models import ModelServer
from kfambassador.local.stack import LocalStack
from kfambassador.notebook.answering import sending
from kfambassador.notebook.answering.desk import answer, tell_error
from tests.backends import Answer, EchoServer
from tests.e2e.publishing import publish_mappings
from tests.ports import free_port

NO_VALUE = "a header's value is one line of Latin letters; write others as %-escapes or in Base64"
NO_NAME = "a header's name is letters, digits and dashes, such as x-team"

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("notebook-kernel-side")]

HALF_PLUS_TWO = kfa.TFServing(model="half_plus_two")


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    with EchoServer() as server:
        yield server


@pytest.fixture(scope="module")
def mappings(stack: LocalStack, model: ModelServer, echo: EchoServer) -> None:
    """Mappings that somebody wrote by hand."""
    target = f"127.0.0.1:{model.port}"
    seen = f"127.0.0.1:{echo.port}"
    v1, v2 = "/v1/models/half_plus_two", "/v2/models/m/infer"
    wanted = {"host": "models.example", "headers": {"x-team": "a", "x-any": True}, "query_parameters": {"beta": "1"}}
    exactly: dict[str, object] = {"prefix_exact": True, "method": "GET"}
    publish_mappings(
        stack,
        {"name": "v1", "prefix": "/half/", "rewrite": v1, "service": target, **exactly},
        {
            "name": "v1-predict",
            "prefix": "/half:predict",
            "rewrite": f"{v1}:predict",
            "method": "POST",
            "service": target,
        },
        {"name": "v2", "prefix": "/v2m/infer", "rewrite": v2, "method": "POST", "service": target},
        {"name": "echo", "prefix": "/echo/", "service": seen},
        {"name": "asking", "prefix": "/asking/", "service": seen, **wanted},
        {"name": "moved", "prefix": "/moved/", "service": "elsewhere.example", "host_redirect": True},
        {"name": "nobody", "prefix": "/nobody/", "service": f"127.0.0.1:{free_port()}"},
        {"name": "expression", "prefix": "/e[0-9]+/", "prefix_regex": True, "service": seen},
    )


def ask(gateway: kfa.Gateway, kind: str, **arguments: Any) -> Any:
    told = answer(gateway, kind, arguments)
    # Whatever is answered can be sent.
    assert json.loads(json.dumps(told)) == told
    return told


def details(gateway: kfa.Gateway, name: str) -> Any:
    return ask(gateway, "details", mapping=f"default/{name}", object="Service default/models", document=1)


@pytest.mark.parametrize(
    ("kind", "arguments", "words"),
    [
        ("detials", {}, "'detials' is no question of a route browser; did you mean details?"),
        ("test", {"method": "GET", "path": ""}, "path: a path begins with a slash, and this is ''"),
        (
            "test",
            {"method": "GET", "path": "http://elsewhere/"},
            "path: a path begins with a slash, and this is 'http://elsewhere/'",
        ),
        ("test", {"method": "G T", "path": "/"}, "method: 'G T' is no method; usual ones are GET and POST"),
        ("test", {"method": "GET", "path": "/", "headers": {"x": "a\nb"}}, f"headers.x: {NO_VALUE}"),
        ("test", {"method": "GET", "path": "/", "headers": {"x": "☃"}}, f"headers.x: {NO_VALUE}"),
        ("test", {"method": "GET", "path": "/", "headers": {"x y": "a"}}, f"headers.x y: {NO_NAME}"),
        ("test", {"method": "GET", "path": "/", "headers": {"é": "a"}}, f"headers.é: {NO_NAME}"),
        ("test", {"method": "GET", "path": "/", "body": 5}, "body: Input should be a valid string"),
        (
            "test",
            {"method": "GET", "path": "/", "timeout": 7200},
            "timeout: Input should be less than or equal to 600",
        ),
        ("explain", {"method": "GET"}, "url: Field required"),
        (
            "split",
            {"namespace": "a", "name": "b", "variant": "c", "weight": 101},
            "weight: Input should be less than or equal to 100",
        ),
        (
            "split",
            {"namespace": "a", "name": "b", "variant": "c", "weight": True},
            "weight: Input should be a valid integer",
        ),
        (
            "turn",
            {"namespace": "a", "name": "b", "action": "explode"},
            "action: Input should be 'promote' or 'rollback'",
        ),
        ("status", {"namespace": "a", "name": "b", "also": 1}, "also: Extra inputs are not permitted"),
        ("hello", {"to": "you"}, "to: Extra inputs are not permitted"),
    ],
)
def test_what_is_no_question_is_refused_in_words(
    gateway: kfa.Gateway, kind: str, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        answer(gateway, kind, arguments)
    assert str(refused.value) == words


def test_faults_of_the_asker_are_told_and_faults_of_ours_named_without_what_they_hold() -> None:
    assert tell_error(NotFound("there is none", status=404, reason="NotFound")) == {
        "title": "NotFound",
        "words": "there is none",
    }
    told = tell_error(ValueError("with a secret in it"))
    assert "secret" not in json.dumps(told)
    assert "ValueError" in str(told["words"])


def test_hello_is_all_there_is_to_say(gateway: kfa.Gateway) -> None:
    assert ask(gateway, "hello") == {}


@pytest.mark.usefixtures("mappings")
def test_details_give_the_text_as_it_was_written_and_a_request_to_try(gateway: kfa.Gateway) -> None:
    told = details(gateway, "v1")
    assert told["text"].count("kind: Mapping") == 8
    assert told["text_of"] == "getambassador.io/config"
    assert told["why_no_text"] == ""
    assert told["exposure"] is None
    assert "not published with expose()" in told["why_not"]
    assert told["request"] == {"method": "GET", "path": "/half/", "headers": {}, "body": None}


@pytest.mark.usefixtures("mappings")
@pytest.mark.parametrize(
    ("name", "status"), [("v1", 200), ("v1-predict", 200), ("echo", 200), ("asking", 200), ("moved", 301)]
)
def test_the_request_that_is_offered_takes_its_route(gateway: kfa.Gateway, name: str, status: int) -> None:
    offered = details(gateway, name)["request"]
    answered = ask(gateway, "test", **{key: value for key, value in offered.items() if value is not None})
    assert answered["status"] == status
    assert answered["mapping"] == f"default/{name}"


@pytest.mark.usefixtures("mappings")
def test_the_request_that_is_offered_is_what_the_server_behind_speaks(gateway: kfa.Gateway) -> None:
    [inputs] = json.loads(details(gateway, "v2")["request"]["body"])["inputs"]
    assert sorted(inputs) == ["data", "datatype", "name", "shape"]
    assert json.loads(details(gateway, "v1-predict")["request"]["body"]) == {"instances": [1.0]}
    assert details(gateway, "expression")["request"]["path"] == "/"


@pytest.mark.usefixtures("mappings")
@pytest.mark.parametrize(
    ("carrier", "words"),
    [
        ("Service default/gone", "gone"),
        ("Secret default/key", "Secrets are never shown"),
        ("", "it is in no object of the cluster"),
        ("the text", "it is in no object of the cluster"),
        ("Moon default/far", "it is in no object of the cluster"),
    ],
)
def test_what_cannot_be_shown_says_why(gateway: kfa.Gateway, carrier: str, words: str) -> None:
    told = ask(gateway, "details", mapping="", object=carrier)
    assert told["text"] == ""
    assert words in told["why_no_text"]
    assert told["request"] is None


def test_a_secret_is_not_even_read(gateway: kfa.Gateway) -> None:
    canary = "a-canary-that-sings"
    gateway.client.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"password": canary}}
    )
    assert canary not in json.dumps(ask(gateway, "details", mapping="", object="Secret default/key"))


def test_a_mapping_resource_shows_its_spec(gateway: kfa.Gateway, model: ModelServer) -> None:
    gateway.client.apply(
        {
            "apiVersion": "getambassador.io/v2",
            "kind": "Mapping",
            "metadata": {"name": "own"},
            "spec": {"prefix": "/own/", "service": f"127.0.0.1:{model.port}"},
        }
    )
    told = ask(gateway, "details", mapping="default/own", object="Mapping default/own")
    assert told["text_of"] == "spec"
    assert "prefix: /own/" in told["text"]
    assert "managedFields" not in told["text"]
    gateway.client.delete(next(kind for kind in _kinds() if kind.kind == "Mapping"), "own")


def _kinds() -> Any:
    from kfambassador.kube.kinds import KINDS

    return KINDS


def test_a_published_model_is_told_with_its_variants_and_a_sample_that_answers(
    gateway: kfa.Gateway, model: ModelServer
) -> None:
    mnist = gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO)
    mnist.canary(model.port, 10)
    [route, *_] = [route for route in gateway.routes() if "mnist" in route.path and route.method == "POST"]
    told = ask(gateway, "details", mapping=route.splits[0].mapping, object=route.splits[0].object, document=1)
    published = told["exposure"]
    assert (published["namespace"], published["name"], published["url"]) == ("default", "mnist", mnist.url)
    assert published["owner"] == mnist.owner
    assert [(each["name"], each["weight"]) for each in published["variants"]] == [("stable", None), ("canary", 10)]
    assert [(each["variant"], each["percent"]) for each in published["shares"]] == [("stable", 90), ("canary", 10)]
    assert told["why_not"] == ""
    answered = ask(gateway, "test", **told["request"])
    assert answered["status"] == 200
    assert "predictions" in json.loads(answered["body"])


def test_a_share_is_changed_and_can_be_changed_back_promoted_and_taken_back(
    gateway: kfa.Gateway, model: ModelServer
) -> None:
    mnist = gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO)
    with ModelServer() as newer:
        mnist.canary(newer.port, 10)
        place = {"namespace": "default", "name": "mnist"}

        def shares(told: Any) -> dict[str, int]:
            return {each["variant"]: each["percent"] for each in told["shares"]}

        changed = ask(gateway, "split", **place, variant="canary", weight=40)
        assert shares(changed) == {"stable": 60, "canary": 40}
        assert changed["before"]["canary"] == 10
        shared = [route for route in gateway.routes() if len(route.splits) > 1]
        assert {split.share for route in shared for split in route.splits} == {60, 40}
        now = ask(gateway, "shares", **place)
        assert (now["shares"], now["weights"]) == (changed["shares"], {"stable": None, "canary": 40})
        back = ask(gateway, "split", **place, variant="canary", weight=changed["before"]["canary"])
        assert shares(back) == {"stable": 90, "canary": 10}
        assert shares(ask(gateway, "turn", **place, action="rollback", variant="canary")) == {"stable": 100}
        mnist.canary(newer.port, 10)
        promoted = ask(gateway, "turn", **place, action="promote")
        assert [each["service"] for each in promoted["shares"]] == [f"127.0.0.1:{newer.port}"]
        assert ask(gateway, "status", **place)["phase"] == "Answering"
        with pytest.raises(KfAmbassadorError, match="nonsense"):
            ask(gateway, "split", **place, variant="nonsense", weight=1)


def test_copies_are_changed_as_shares_are(gateway: kfa.Gateway, model: ModelServer, echo: EchoServer) -> None:
    mnist = gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO)
    mnist.shadow(echo.port, 30)
    changed = ask(gateway, "split", namespace="default", name="mnist", variant="shadow", weight=70)
    assert changed["before"]["shadow"] == 30
    assert [each["percent"] for each in changed["shares"] if each["copy"]] == [70]


def test_what_is_not_published_is_said_to_be_missing(gateway: kfa.Gateway) -> None:
    with pytest.raises(NotFound, match="Nothing is published as 'nothing'"):
        ask(gateway, "status", namespace="default", name="nothing")


@pytest.mark.usefixtures("mappings")
def test_a_request_is_sent_as_it_was_typed(gateway: kfa.Gateway, echo: EchoServer) -> None:
    body = '{"instances": [1.0, "é"]}'
    told = ask(gateway, "test", method="POST", path="/echo/a?b=c", headers={"X-Team": "a"}, body=body)
    seen = echo.script.seen[-1]
    assert (seen.method, seen.path, seen.body) == ("POST", "/a?b=c", body)
    assert seen.header("x-team") == "a"
    assert seen.header("content-type") == "application/json"
    assert (told["status"], told["reason"], told["is_success"]) == (200, "OK", True)
    assert (told["mapping"], told["upstream_path"]) == ("default/echo", "/a")
    assert told["latency_ms"] > 0
    assert json.loads(told["body"])["backend"] == "echo"
    assert ["content-type", "application/json; charset=utf-8"] in told["headers"]
    assert told["curl"].startswith("curl ")
    typed = ask(gateway, "test", method="POST", path="/echo/", headers={"content-type": "text/plain"}, body="x")
    assert typed["is_success"]
    assert echo.script.seen[-1].header("content-type") == "text/plain"


@pytest.mark.usefixtures("mappings")
def test_answers_that_are_no_success_are_explained(gateway: kfa.Gateway, echo: EchoServer) -> None:
    def test(path: str, **more: Any) -> tuple[int, str]:
        told = ask(gateway, "test", method="GET", path=path, **more)
        return told["status"], told["meaning"]

    status, words = test("/nothing-there")
    assert (status, "no route" in words) == (404, True), words
    status, words = test("/moved/")
    assert (status, "elsewhere.example" in words) == (301, True), words
    status, words = test("/nobody/")
    assert (status, "cannot reach" in words or "no endpoint" in words) == (503, True), words
    meanings = set()
    for answered in (302, 401, 403, 404, 429, 500, 503, 504):
        echo.script.tell(Answer(status=answered, headers={"location": "/login"} if answered == 302 else {}))
        status, words = test("/echo/")
        assert status == answered
        assert words
        meanings.add(words)
    echo.script.tell(Answer())
    assert len(meanings) == 8
    assert test("/echo/") == (200, "")


@pytest.mark.usefixtures("mappings")
def test_a_long_answer_is_cut_and_its_length_told(gateway: kfa.Gateway, echo: EchoServer) -> None:
    echo.script.tell(Answer(body="é" * 80_000, times=1))
    told = ask(gateway, "test", method="GET", path="/echo/")
    assert (told["cut"], len(told["body"]), told["is_text"]) == (
        "The first 50,000 characters of 160,000 bytes.",
        50_000,
        True,
    )


def test_a_cut_may_go_through_a_character_and_bytes_are_no_text() -> None:
    read = sending._read_text
    assert read("aé".encode()[:2], whole=False) == ("a", True)
    assert read("aé".encode()[:2], whole=True) == ("", False)
    assert read(b"\x89PNG\r\n", whole=True) == ("", False)
    assert read(b"a\0b", whole=True) == ("a\0b", False)
    assert read(b"", whole=True) == ("", True)


def test_an_endless_wait_is_given_up(gateway: kfa.Gateway, stack: LocalStack) -> None:
    with EchoServer() as slow:
        publish_mappings(stack, {"name": "slow", "prefix": "/slow/", "service": f"127.0.0.1:{slow.port}"}, carrier="s")
        with slow.hold(), pytest.raises(KfAmbassadorError, match="no answer in time"):
            ask(gateway, "test", method="GET", path="/slow/", timeout=0.2)


@pytest.mark.usefixtures("mappings")
def test_a_line_for_a_shell_holds_no_secret(stack: LocalStack) -> None:
    canary = "a-canary-that-sings"
    with kfa.Gateway.at(stack.endpoint, credentials=kfa.BearerToken(canary), quiet=True) as gateway:
        line = ask(gateway, "curl", method="POST", path="/echo/", body="{}")["curl"]
        tried = ask(gateway, "test", method="POST", path="/half:predict", body="{}")
    assert canary not in line
    assert canary not in json.dumps(tried)
    assert "-X POST" in line or "--request POST" in line or "-d" in line or "--data" in line


@pytest.mark.usefixtures("mappings")
def test_the_fate_of_a_request_is_told_by_the_table_and_by_envoy(gateway: kfa.Gateway, model: ModelServer) -> None:
    told = ask(gateway, "explain", method="POST", url="/half:predict")
    assert told["outcome"] == "routed"
    assert told["taken_by"] == [
        {
            "mapping": "default/v1-predict",
            "service": f"127.0.0.1:{model.port}",
            "upstream_path": "/v1/models/half_plus_two:predict",
            "share": 100,
        }
    ]
    assert told["envoy"]["agrees"] is True
    assert "default/v1-predict" in told["envoy"]["words"]
    assert ["default/v2"] in [each["mappings"] for each in told["passed"]]
    assert told["more"] == 0


@pytest.mark.usefixtures("mappings")
def test_redirects_and_what_nobody_takes_have_a_fate_too(gateway: kfa.Gateway) -> None:
    moved = ask(gateway, "explain", method="GET", url="/moved/a")
    assert moved["outcome"] == "redirect"
    assert "elsewhere.example" in moved["redirect"]["location"]
    missing = ask(gateway, "explain", method="GET", url="/half:predict")
    assert missing["outcome"] == "none"
    assert "404" in missing["words"]
    # What was nearest comes first, and says why it does not take it.
    assert missing["passed"][0]["mappings"] == ["default/v1-predict"]
    assert "method" in missing["passed"][0]["reason"]
    assert ask(gateway, "explain", method="GET", url="/half/", ask_envoy=False)["envoy"] is None
