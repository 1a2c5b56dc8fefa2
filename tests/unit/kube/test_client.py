import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kfambassador.errors import (
    ApiError,
    BadRequest,
    ConfigurationError,
    Conflict,
    Forbidden,
    Gone,
    NotFound,
    Unauthorized,
    Unavailable,
)
from kfambassador.kube.client import EventType, KubeClient, Manifest
from kfambassador.kube.kinds import MAPPING, NAMESPACE, POD, SERVICE
from kfambassador.kube.official import OfficialEntrance
from tests.unit.kube.scripted_api import (
    TOKEN,
    Answer,
    ScriptedApi,
    answer,
    bookmark,
    event,
    gone,
    hang_up,
    listing,
    refusal,
    scripted_api,
    service,
    silence,
    stream,
)

Serve = Callable[..., tuple[KubeClient, ScriptedApi]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a client of a server with the given script."""
    opened = []

    def start(*script: Answer, read_timeout: float = 30.0) -> tuple[KubeClient, ScriptedApi]:
        server = scripted_api(*script)
        api = server.__enter__()
        client = KubeClient.connect(api.url, token=TOKEN, read_timeout=read_timeout)
        opened.append((client, server))
        return client, api

    yield start
    for client, server in opened:
        client.close()
        server.__exit__(None, None, None)


def names(manifests: tuple[Manifest, ...]) -> list[str]:
    return [manifest["metadata"]["name"] for manifest in manifests]


def test_a_listing_joins_its_pages(serve: Serve) -> None:
    client, api = serve(listing(service("a"), more="next"), listing(service("b"), version=11))
    listed = client.list(SERVICE, label_selector="app=mnist")
    assert (names(listed.items), listed.resource_version) == (["a", "b"], "11")
    first, second = api.requests()
    assert first.query == {"limit": "2000", "labelSelector": "app=mnist"}
    assert second.query == {**first.query, "continue": "next"}
    assert first.headers["Authorization"] == f"Bearer {TOKEN}"


def test_every_listed_object_says_what_it_is(serve: Serve) -> None:
    client, _ = serve(listing({"metadata": {"name": "a"}}))
    [item] = client.list(SERVICE).items
    assert (item["apiVersion"], item["kind"]) == ("v1", "Service")


def test_an_empty_list_may_be_written_as_null(serve: Serve) -> None:
    client, _ = serve(answer({"metadata": {"resourceVersion": "3"}, "items": None}))
    assert client.list(SERVICE, namespace="x").items == ()


def test_a_listing_that_expires_between_pages_starts_again_in_one_piece(serve: Serve) -> None:
    client, api = serve(listing(service("a"), more="next"), refusal(410, "Expired"), listing(service("b")))
    assert names(client.list(SERVICE).items) == ["b"]
    assert api.requests()[-1].query == {}


@pytest.mark.parametrize("last", [refusal(500, "InternalError"), hang_up, answer("<html>"), answer({"kind": "Status"})])
def test_a_part_of_a_listing_is_no_listing(serve: Serve, last: Answer) -> None:
    client, _ = serve(listing(service("a"), more="next"), last)
    with pytest.raises(Unavailable):
        client.list(SERVICE)


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_watch_yields_events_whatever_pieces_they_come_in(serve: Serve, size: int, chunked: bool) -> None:
    text = event("ADDED", service("ä", version=11)) + event("DELETED", service("b", version=12)) + bookmark(20)
    client, api = serve(stream(*(text[at : at + size] for at in range(0, len(text), size)), chunked=chunked))
    events = list(client.watch(SERVICE, since="10", namespace="x", timeout=7))
    assert [(event.type, event.resource_version) for event in events] == [
        (EventType.ADDED, "11"),
        (EventType.DELETED, "12"),
        (EventType.BOOKMARK, "20"),
    ]
    assert events[0].manifest == service("ä", version=11)
    [request] = api.requests()
    assert request.path == "/api/v1/namespaces/x/services"
    assert request.query == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "10",
        "timeoutSeconds": "7",
    }


def test_an_event_is_yielded_while_the_stream_goes_on(serve: Serve) -> None:
    client, _ = serve(stream(event("ADDED", service("a")), stays=True))
    watch = client.watch(SERVICE, since="1")
    assert next(watch).type is EventType.ADDED


@pytest.mark.parametrize("answered", [refusal(410, "Expired"), stream(gone()), stream(bookmark(3), gone())])
def test_a_watch_from_too_long_ago_is_gone(serve: Serve, answered: Answer) -> None:
    client, _ = serve(answered)
    with pytest.raises(Gone, match="watch services"):
        list(client.watch(SERVICE, since="1"))


@pytest.mark.parametrize(
    "answered",
    [
        stream(b"\xff\xfe\n"),
        stream(b"[]\n"),
        stream(b'{"type": "ADDED"}\n'),
        stream(b'{"type": "MOVED", "object": {"metadata": {"resourceVersion": "1"}}}\n'),
        stream(b'{"type": "ADDED", "object": {"metadata": {}}}\n'),
        stream(b'{"type": "ERROR", "object": "oh"}\n'),
        stream(event("ERROR", {"code": 500})),
        stream(event("ERROR", {"message": "no code"})),
        stream(b'{"type": "ADD', chunked=False),
        stream(bookmark(3), ends=False),
        hang_up,
    ],
)
def test_a_watch_that_breaks_says_so(serve: Serve, answered: Answer) -> None:
    client, _ = serve(answered)
    with pytest.raises(Unavailable):
        list(client.watch(SERVICE, since="1"))


@pytest.mark.parametrize("stuck", [silence, stream(stays=True), stream(bookmark(1), stays=True, chunked=False)])
def test_a_watch_ends_when_another_thread_closes_the_client(serve: Serve, stuck: Answer) -> None:
    client, api = serve(stuck)
    seen: list[object] = []
    watcher = threading.Thread(target=lambda: seen.extend(client.watch(SERVICE, since="1")), daemon=True)
    watcher.start()
    api.received.get(timeout=10)
    client.close()
    watcher.join(timeout=10)
    assert not watcher.is_alive()


def test_a_call_of_a_closed_client_fails(serve: Serve) -> None:
    client, _ = serve(listing())
    client.close()
    with pytest.raises(Unavailable, match="is closed"):
        client.list(SERVICE)


@pytest.mark.parametrize("stuck", [silence, stream(bookmark(1), stays=True)])
def test_a_silent_server_is_noticed(serve: Serve, stuck: Answer) -> None:
    client, _ = serve(stuck, read_timeout=0.2)
    with pytest.raises(Unavailable, match=r"said nothing for 0\.2 s"):
        list(client.watch(SERVICE, since="1"))


def test_apply_owns_its_fields_by_name(serve: Serve) -> None:
    client, api = serve(answer(service("a", version=5)))
    assert client.apply(service("a"), force=True, dry_run=True)["metadata"]["resourceVersion"] == "5"
    [request] = api.requests()
    assert (request.method, request.path) == ("PATCH", "/api/v1/namespaces/default/services/a")
    assert request.query == {"fieldManager": "kfambassador", "force": "true", "dryRun": "All"}
    assert request.headers["Content-Type"] == "application/apply-patch+yaml"
    assert request.body == service("a")


def test_each_write_goes_to_its_own_place(serve: Serve) -> None:
    client, api = serve(answer({}))
    homeless = {"apiVersion": "getambassador.io/v3alpha1", "kind": "Mapping", "metadata": {"name": "m"}}
    client.get(SERVICE, "a", namespace="x")
    client.create(homeless)
    client.replace(service("a"))
    client.patch(SERVICE, "a", {"spec": None}, namespace="x")
    client.delete(NAMESPACE, "x")
    assert [(request.method, request.path, request.headers["Content-Type"]) for request in api.requests()] == [
        ("GET", "/api/v1/namespaces/x/services/a", "application/json"),
        ("POST", "/apis/getambassador.io/v3alpha1/namespaces/default/mappings", "application/json"),
        ("PUT", "/api/v1/namespaces/default/services/a", "application/json"),
        ("PATCH", "/api/v1/namespaces/x/services/a", "application/merge-patch+json"),
        ("DELETE", "/api/v1/namespaces/x", "application/json"),
    ]


def test_deleting_twice_is_no_error(serve: Serve) -> None:
    client, _ = serve(answer({}), refusal(404, "NotFound"))
    assert client.delete(SERVICE, "a") is True
    assert client.delete(SERVICE, "a") is False


@pytest.mark.parametrize("name", ["", ".."])
def test_nothing_is_deleted_but_the_object_named(serve: Serve, name: str) -> None:
    client, api = serve(answer({}))
    with pytest.raises(BadRequest):
        client.delete(SERVICE, name)
    with pytest.raises(BadRequest):
        client.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}})
    assert api.requests() == []


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        (400, "BadRequest", BadRequest),
        (401, "Unauthorized", Unauthorized),
        (403, "Forbidden", Forbidden),
        (404, "NotFound", NotFound),
        (409, "Conflict", Conflict),
        (410, "Expired", Gone),
        (418, "Teapot", ApiError),
        (422, "Invalid", BadRequest),
        (429, "TooManyRequests", Unavailable),
        (503, "ServiceUnavailable", Unavailable),
    ],
)
def test_each_refusal_has_its_error(serve: Serve, status: int, reason: str, error: type[ApiError]) -> None:
    client, api = serve(refusal(status, reason, "somebody said so"))
    with pytest.raises(ApiError) as raised:
        client.get(SERVICE, "a", namespace="x")
    assert type(raised.value) is error
    assert (raised.value.status, raised.value.reason) == (status, reason)
    assert str(raised.value).startswith(
        f"The Kubernetes API at {api.url} refused to get services 'a' in namespace 'x' ({status}): somebody said so"
    )
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("soon", None), ("-1", None)])
def test_a_pause_asked_for_is_passed_on(serve: Serve, header: str, seconds: float | None) -> None:
    client, _ = serve(refusal(429, "TooManyRequests", Retry_After=header))
    with pytest.raises(Unavailable) as raised:
        client.list(SERVICE)
    assert raised.value.retry_after == seconds


def test_a_page_of_html_is_quoted_in_part(serve: Serve) -> None:
    client, _ = serve(answer("<html>" * 10_000, status=502))
    with pytest.raises(Unavailable) as raised:
        client.list(SERVICE)
    assert len(str(raised.value)) < 700


def test_a_redirect_is_not_followed_with_the_token(serve: Serve) -> None:
    client, api = serve(answer("", status=302, Location="/elsewhere"))
    with pytest.raises(ApiError, match="302"):
        client.list(MAPPING)
    assert len(api.requests()) == 1


@pytest.fixture
def nobody() -> Iterator[str]:
    """Return an address where connections are refused."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take the port meanwhile
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def test_nobody_there(nobody: str) -> None:
    with KubeClient.connect(nobody, token=TOKEN) as client, pytest.raises(Unavailable) as raised:
        client.list(SERVICE)
    assert str(raised.value) == (
        f"No Kubernetes API answers at {nobody}: is the gateway or cluster running? (while trying to list services)"
    )


def test_no_such_host() -> None:
    with (
        KubeClient.connect("http://no-such-host.invalid", token=TOKEN) as client,
        pytest.raises(Unavailable, match="No host answers to the name"),
    ):
        client.list(SERVICE)


@pytest.mark.parametrize("url", ["http://[", "http://127.0.0.1:port"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ConfigurationError, match="Cannot connect with the address"):
        KubeClient.connect(url, token=TOKEN)


def test_the_proxy_of_the_environment_never_sees_a_laptop(
    serve: Serve, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, nobody)
    client, _ = serve(listing())
    assert client.list(SERVICE).items == ()


def test_the_repr_shows_the_server_and_no_secret() -> None:
    assert (
        repr(KubeClient.connect(f"http://user:{TOKEN}@127.0.0.1:1/", token=TOKEN)) == "<KubeClient http://127.0.0.1:1>"
    )


KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: first
clusters: [{{name: here, cluster: {{server: "{url}"}}}}]
users:
- {{name: me, user: {{token: {token}}}}}
- name: plugin
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: {python}
      args: [-c, 'print("{{\\"apiVersion\\": \\"client.authentication.k8s.io/v1\\", \\"kind\\": \\"ExecCredential\\",
        \\"status\\": {{\\"token\\": \\"from-plugin\\"}}}}")']
      interactiveMode: Never
contexts:
- {{name: first, context: {{cluster: here, user: me, namespace: kubeflow}}}}
- {{name: second, context: {{cluster: here, user: plugin}}}}
"""


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[tuple[Path, ScriptedApi]]:
    """Return a kubeconfig with two contexts, and the server it points to."""
    with scripted_api(answer({})) as api:
        path = tmp_path / "config"
        path.write_text(KUBECONFIG.format(url=api.url, token=TOKEN, python=sys.executable))
        yield path, api


@pytest.mark.parametrize(
    ("context", "namespace", "token"),
    [(None, "kubeflow", TOKEN), ("first", "kubeflow", TOKEN), ("second", "default", "from-plugin")],
)
def test_a_kubeconfig_gives_address_namespace_and_credentials(
    kubeconfig: tuple[Path, ScriptedApi], context: str | None, namespace: str, token: str
) -> None:
    path, api = kubeconfig
    with KubeClient.from_kubeconfig(context=context, path=path) as client:
        assert (client.server, client.default_namespace) == (api.url, namespace)
        client.get(SERVICE, "a")
    [request] = api.requests()
    assert request.path == f"/api/v1/namespaces/{namespace}/services/a"
    assert request.headers["Authorization"] == f"Bearer {token}"


def test_the_kubeconfig_of_the_environment_is_found(
    kubeconfig: tuple[Path, ScriptedApi], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig[0]))
    with KubeClient.from_kubeconfig() as client:
        assert client.default_namespace == "kubeflow"


def test_a_context_can_be_named_where_none_is_current(kubeconfig: tuple[Path, ScriptedApi]) -> None:
    path, _ = kubeconfig
    path.write_text(path.read_text().replace("current-context: first\n", ""))
    with KubeClient.from_kubeconfig(path=path, context="first") as client:
        assert client.default_namespace == "kubeflow"
    with pytest.raises(ConfigurationError):
        KubeClient.from_kubeconfig(path=path)


@pytest.mark.parametrize("text", ["", "[]", f"token: {TOKEN}", f"a: [{TOKEN}", "current-context: x", None])
def test_a_faulty_kubeconfig_is_named_and_not_quoted(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigurationError, match=f"Cannot connect with the kubeconfig {path}: .") as raised:
        KubeClient.from_kubeconfig(path=path)
    assert TOKEN not in str(raised.value)


def test_an_unknown_context_is_named(kubeconfig: tuple[Path, ScriptedApi]) -> None:
    with pytest.raises(ConfigurationError, match="third"):
        KubeClient.from_kubeconfig(path=kubeconfig[0], context="third")


def test_outside_a_pod_there_is_no_service_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ConfigurationError, match="is this a pod"):
        KubeClient.in_cluster()


def test_importing_the_client_does_not_load_the_official_package() -> None:
    code = "import kfambassador.kube.client, sys; assert 'kubernetes' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f" {TOKEN}"])
def test_a_token_read_from_a_file_may_end_with_a_line(token: str) -> None:
    with scripted_api(listing()) as api, KubeClient.connect(api.url, token=token) as client:
        client.list(SERVICE)
        assert api.requests()[0].headers["Authorization"].split() == ["Bearer", TOKEN]


@pytest.mark.parametrize("token", [f"{TOKEN}\nX-Evil: 1", f"{TOKEN}ä"])
def test_a_token_that_cannot_be_one_is_refused_and_not_quoted(token: str) -> None:
    with KubeClient.connect("http://127.0.0.1:1", token=token) as client, pytest.raises(Unauthorized) as raised:
        client.list(SERVICE)
    assert TOKEN not in "".join(traceback.format_exception(raised.value))


def test_credentials_that_cannot_be_renewed_are_an_error_of_ours(
    kubeconfig: tuple[Path, ScriptedApi],
) -> None:
    def fail(_: object) -> None:
        raise FileNotFoundError("token")

    with KubeClient.from_kubeconfig(path=kubeconfig[0]) as client:
        assert isinstance(client._entrance, OfficialEntrance)
        client._entrance.configuration.refresh_api_key_hook = fail
        with pytest.raises(Unauthorized, match=r"could not be renewed \(FileNotFoundError\): log in again"):
            client.list(SERVICE)


def test_the_bearer_token_is_given_to_whoever_must_show_it_elsewhere() -> None:
    with KubeClient.connect("http://127.0.0.1:1", token=TOKEN) as client:
        assert client.bearer_token() == TOKEN


def test_who_is_known_by_a_certificate_has_no_token(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n"
        "users: [{name: u, user: {username: ann, password: secret}}]\n"
        "contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n"
    )
    with KubeClient.from_kubeconfig(path=tmp_path / "config") as client:
        assert client.bearer_token() is None


def test_what_answers_an_upgrade_like_any_request_speaks_no_websocket(serve: Serve) -> None:
    client, api = serve(answer({}))
    with pytest.raises(Unavailable, match=r"get pods/portforward 'p' in namespace 'n'"):
        client.upgrade(POD, "p", subresource="portforward", query={"ports": "80"}, protocol="v4", namespace="n")
    [request] = api.requests()
    assert request.path == "/api/v1/namespaces/n/pods/p/portforward"
    assert (request.headers["Upgrade"], request.headers["Sec-WebSocket-Protocol"]) == ("websocket", "v4")
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_status_is_applied_by_our_name_and_taken_over(serve: Serve) -> None:
    client, api = serve(answer({"kind": "Mapping"}))
    manifest = {
        "apiVersion": MAPPING.api_version,
        "kind": "Mapping",
        "metadata": {"name": "m", "namespace": "team", "resourceVersion": "7"},
        "status": {"state": "Running"},
    }
    client.apply_status(manifest)
    [received] = api.requests()
    assert (received.method, received.path) == ("PATCH", f"{MAPPING.path(namespace='team', name='m')}/status")
    assert received.headers["Content-Type"] == "application/apply-patch+yaml"
    assert dict(received.query) == {"fieldManager": "kfambassador", "force": "true"}
    assert received.body == manifest


def test_a_hurried_client_is_the_same_one_with_less_patience(serve: Serve) -> None:
    client, _ = serve(silence, read_timeout=600)
    with pytest.raises(Unavailable, match=r"said nothing for 0\.1 s"):
        client.hurried(0.1).get(SERVICE, "a")
    client.close()
    with pytest.raises(ApiError):
        client.hurried(600).get(SERVICE, "a")


def test_haste_gives_nobody_more_patience(serve: Serve) -> None:
    client, _ = serve(silence, read_timeout=0.1)
    with pytest.raises(Unavailable, match=r"said nothing for 0\.1 s"):
        client.hurried(600).get(SERVICE, "a")
