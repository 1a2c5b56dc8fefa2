"""The magics in a real kernel, against a real gateway: what they give, what they say, and what Tab offers."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import kfambassador as kfa
from kfambassador.kube.kinds import MAPPING
from kfambassador.local.models import ModelServer
from kfambassador.local.stack import LocalStack
from kfambassador.notebook.magics.commands import filter_routes
from kfambassador.notebook.magics.grammar import ROUTES
from kfambassador.sdk.views import RouteList
from tests.docs.pages import normalise
from tests.e2e.gateway import until
from tests.notebook.kernels import Kernel, running_kernel, shared_stack
from tests.notebook.lab_server import make_environment

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("notebook-magics"),
    # The kernel's messages travel over a loopback socket, which ipykernel remarks on at every start.
    pytest.mark.filterwarnings("ignore::RuntimeWarning:zmq"),
]

WIDGET = "application/vnd.jupyter.widget-view+json"
NAMES = ("explain", "expose", "mapping", "predict", "routes")
UNKNOWN = "is not an attribute of a Mapping and is left out; did you mean timeout_ms?"
LOADED = (
    "manager = get_ipython().magics_manager\n"
    f"print([name for name in {NAMES} if name in manager.magics['line'] or name in manager.magics['cell']],"
    " len(get_ipython().Completer.custom_matchers), 'KfAmbassadorMagics' in manager.registry)"
)


@pytest.fixture(scope="module")
def stack(home: Path) -> Iterator[LocalStack]:
    with shared_stack(home) as stack:
        yield stack


@pytest.fixture
def half(stack: LocalStack, model: ModelServer) -> Iterator[kfa.Exposure]:
    """A published model; whatever a test publishes is taken down."""
    server = kfa.TFServing(model="half_plus_two")
    with kfa.Gateway.at(stack.endpoint, quiet=True) as gateway:
        yield gateway.expose("half", service=model.port, server=server)
        for exposure in gateway.list_exposures():
            exposure.delete()


@pytest.fixture(scope="module")
def shell(home: Path, stack: LocalStack) -> Iterator[Kernel]:
    """One kernel, for tests that leave nothing in it."""
    with running_kernel(home) as kernel:
        kernel.run("%load_ext kfambassador")
        yield kernel


@pytest.fixture
def kernel(home: Path, stack: LocalStack) -> Iterator[Kernel]:
    """A kernel of a test's own."""
    with running_kernel(home) as kernel:
        kernel.run("%load_ext kfambassador")
        yield kernel


def value(shown: list[dict[str, Any]]) -> str:
    """The text of a cell's last value."""
    return next(str(each["data"]["text/plain"]) for each in shown if "data" in each)


def stderr(shown: list[dict[str, Any]]) -> str:
    return "".join(each["text"] for each in shown if each.get("name") == "stderr")


def mapping(name: str, prefix: str, service: str = "127.0.0.1:1", more: str = "") -> str:
    return (
        "apiVersion: getambassador.io/v3alpha1\nkind: Mapping\n"
        f"metadata: {{name: {name}}}\nspec:\n  hostname: '*'\n  prefix: {prefix}\n  service: {service}\n{more}"
    )


def annotated(name: str, inside: str) -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n  annotations:\n    getambassador.io/config: |\n"
        "      ---\n      apiVersion: ambassador/v1\n      kind: Mapping\n"
        f"      name: {inside}\n      prefix: /{inside}/\n      service: 127.0.0.1:1\n"
        "spec:\n  ports: [{port: 80}]\n"
    )


def test_loading_twice_and_unloading_leave_what_was_there(kernel: Kernel) -> None:
    everything = f"{list(NAMES)} 1 True"
    assert kernel.tell(LOADED) == everything
    kernel.run("%load_ext kfambassador")
    kernel.run("%reload_ext kfambassador")
    kernel.run("import kfambassador; kfambassador.load_ipython_extension(get_ipython())")
    assert kernel.tell(LOADED) == everything
    kernel.run("manager.magics['line']['routes'] = lambda line: 'of somebody else'")
    kernel.run("%unload_ext kfambassador")
    assert kernel.tell(LOADED) == "['routes'] 0 False"
    assert value(kernel.run("%routes")) == "'of somebody else'"


def test_without_ipython_the_command_to_install_it_is_told() -> None:
    program = (
        "import sys; sys.modules['IPython'] = None\nimport kfambassador\nkfambassador.load_ipython_extension(None)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.endswith(
        "MissingExtra: The extra 'notebook' is needed to use magics in a notebook. "
        "Install it: pip install 'kfambassador[notebook]'\n"
    )


def test_importing_the_package_loads_no_ipython() -> None:
    program = "import kfambassador, sys; print([name for name in sys.modules if name.startswith('IPython')])"
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "[]\n"


def test_routes_is_a_browser_with_its_filter_or_a_list(shell: Kernel, half: kfa.Exposure) -> None:
    [shown] = [each for each in shell.run("%routes half method:post --height 200") if "data" in each]
    assert {WIDGET, "text/html", "text/plain"} == set(shown["data"])
    assert shell.tell("print(_.options)") == "{'filter': 'half method:post', 'height': 200}"
    shell.run("found = %routes --list /models/half -/models/half/ GET")
    assert shell.tell("print([route.method + route.path for route in found])") == "['GET/models/half']"
    listed = value(shell.run("%routes --list nothing-has-this"))
    assert listed == "no routes"


def test_routes_is_a_list_where_there_are_no_widgets(kernel: Kernel, half: kfa.Exposure) -> None:
    kernel.run("import sys; sys.modules['anywidget'] = None")
    assert "/models/half:*" in value(kernel.run("%routes"))


def test_expose_gives_the_exposure_and_takes_what_a_terminal_takes(
    shell: Kernel, half: kfa.Exposure, model: ModelServer
) -> None:
    line = "$name {port} --server tfserving --model half_plus_two --set timeout_ms=6000 --ttl 1h -s 'host=a.example'"
    shell.run(f"name, port = 'mnist', {model.port}\nmnist = %expose {line}")
    assert shell.tell(
        "print(type(mnist).__name__, mnist.name, mnist.mappings[0].timeout_ms, mnist.mappings[0].host)"
    ) == ("Exposure mnist 6000 a.example")
    assert shell.tell("print(mnist.server.model, bool(mnist.expires_at))") == "half_plus_two True"
    changed = shell.run(f"%expose mnist {model.port} --dry-run --set timeout_ms=7000 --model half_plus_two")
    assert "timeout_ms 6000 -> 7000" in value(changed)
    assert shell.tell("print(gateway_of_mine := len(kfa.__all__) if 'kfa' in dir() else 'nothing')") == "nothing"
    assert "not yet" not in value(shell.run("%expose later 127.0.0.1:1 --no-wait"))
    shell.run("mnist.delete()\ndel mnist, name, port, gateway_of_mine")


def test_explain_asks_the_gateway_envoy_or_files(shell: Kernel, half: kfa.Exposure, tmp_path: Path) -> None:
    told = value(shell.run("fate = %explain post /models/half:predict -H 'x: y' --ask-envoy\nfate"))
    assert told.startswith("<Explanation POST /models/half:predict → 127.0.0.1:")
    assert shell.tell("print(fate.envoy.agrees)") == "True"
    file = tmp_path / "m.yaml"
    file.write_text(mapping("m", "/of-a-file/"))
    assert "by default/m>" in value(shell.run(f"%explain GET /of-a-file/x -f '{file}'"))
    _, error = shell.fail(f"%explain GET / --file '{tmp_path}/none.yaml'")
    assert error["evalue"] == f"cannot read {tmp_path}/none.yaml: No such file or directory"
    _, error = shell.fail(f"%explain GET / --file '{file}' --ask-envoy")
    assert "with --file there is none" in error["evalue"]


def test_predict_takes_json_and_python(shell: Kernel, half: kfa.Exposure) -> None:
    assert value(shell.run("%%predict half\n[[1.0, 2.0]]")).startswith("<Prediction [[2.5, 3.0]] in ")
    shell.run("rows = [2.0, 4.0]")
    assert value(shell.run("%%predict half --variant stable\n[x * 2 for x in rows]")).startswith(
        "<Prediction [4.0, 6.0]"
    )
    assert shell.tell("print('x' in dir())") == "False"
    _, error = shell.fail("%%predict half\nrows = [1]")
    assert "neither JSON" in error["evalue"]
    _, error = shell.fail("%%predict half\nnobody_has_this")
    assert error["ename"] == "NameError", "a person's own mistake is shown as ever"
    _, error = shell.fail("%%predict haf\n[1.0]")
    assert error["evalue"] == "Nothing is published as 'haf' in namespace 'default'; published there: half."


def test_mapping_shows_problems_at_their_lines_and_writes_nothing(
    shell: Kernel, stack: LocalStack, half: kfa.Exposure
) -> None:
    text = mapping("judged", "/judged/", more="  timout_ms: 3\n")
    shown = shell.run(f"%%mapping\n{text}")
    lines = value(shown).splitlines()
    assert lines[0] == "1 warning; would serve default/judged; nothing is applied"
    assert lines[8:] == [
        "   8    timout_ms: 3",
        f"   ^  warning: spec.timout_ms: timout_ms {UNKNOWN}",
    ]
    assert '<span class="kfa-lineno">8</span>  timout_ms: 3' in shown[-1]["data"]["text/html"]
    with kfa.Gateway.at(stack.endpoint, quiet=True) as gateway:
        assert [route.path for route in gateway.routes() if "judged" in route.path] == []
    # As which gateway it is judged: a cluster lets nobody point at Envoy's own machine.
    assert value(shell.run(f"%%mapping --policy strict\n{mapping('m', '/m/')}")).startswith(
        "1 error; nothing is applied"
    )
    assert value(shell.run(f"%%mapping --namespace team\n{mapping('m', '/m/')}")).startswith(
        "no problems; would serve team/m"
    )


@pytest.mark.parametrize("condition", ["state:conflict", "-is:busy", 'path:"/a b/"', "errors>1", "ns:team"])
def test_a_list_says_which_words_of_a_filter_it_does_not_know(condition: str) -> None:
    with pytest.raises(kfa.ConfigurationError, match="is a condition of the route browser"):
        filter_routes(RouteList(()), f"mnist {condition}")
    assert list(filter_routes(RouteList(()), "/models/mnist:predict 127.0.0.1:8501 host -service")) == []


def test_mapping_needs_no_gateway_to_judge(kernel: Kernel) -> None:
    shown = kernel.run(f"%%mapping\n{mapping('m', '/m/')}")
    assert value(shown) == "no problems; would serve default/m; nothing is applied"
    assert stderr(shown) == "", "none is connected to"
    assert kernel.tell("import sys; print('kfambassador.sdk.gateway' in sys.modules)") == "False"


def test_mapping_applies_what_has_no_error_and_returns_when_it_is_served(
    shell: Kernel, stack: LocalStack, model: ModelServer
) -> None:
    bare = (
        "apiVersion: ambassador/v1\nkind: Mapping\nname: bare\nprefix: /bare/\nrewrite: /v1/models/half_plus_two/\n"
        f"service: 127.0.0.1:{model.port}\n"
    )
    shown = shell.run(
        f"%%mapping --apply --timeout 30\n{bare}---\n{mapping('own', '/own/')}---\n{annotated('carrier', 'carried')}"
    )
    assert value(shown) == (
        "applied, and the gateway has read it: Mapping default/bare, Mapping default/own, Service default/carrier; "
        "no problems"
    )
    with kfa.Gateway.at(stack.endpoint, quiet=True) as gateway:
        assert {"/bare/*", "/own/*", "/carried/*"} <= {route.path for route in gateway.routes()}
        assert gateway.test("GET", "/bare/metadata").status == 200
        # With an error nothing of it is applied, and the cell fails.
        bad = mapping("bad", "/bad/", more="  timeout_ms: soon\n")
        shown, error = shell.fail(f"%%mapping --apply\n{mapping('good', '/good/')}---\n{bad}")
        assert error["ename"] == "MappingRejected"
        assert error["evalue"] == "Nothing is applied: 1 error is shown at the line above."
        assert value(shown).splitlines()[-2:] == [
            "  16    timeout_ms: soon",
            "   ^  error: spec.timeout_ms: expected a whole number, got 'soon'",
        ]
        assert shell.tell("import sys; print([each.path for each in sys.last_value.problems])") == "['spec.timeout_ms']"
        assert [route.path for route in gateway.routes() if "good" in route.path] == []
        # Neither where what is wrong is known to the cluster only.
        lost = mapping("lost", "/lost/").replace("metadata: {", "metadata: {namespace: nowhere, ")
        _, error = shell.fail(f"%%mapping --apply\n{mapping('good', '/good/')}---\n{lost}")
        assert (error["ename"], 'namespaces "nowhere" not found' in error["evalue"]) == ("NotFound", True)
        stored = {each["metadata"]["name"] for each in gateway.client.list(MAPPING).items}
        assert ("own" in stored, "good" in stored) == (True, False)


def test_what_the_gateway_leaves_out_after_all_is_shown_at_its_line(shell: Kernel) -> None:
    shell.run(f"%%mapping --apply\n{mapping('taken', '/taken/')}")
    # Only the gateway knows who has that name already.
    shown, error = shell.fail(f"%%mapping --apply\n{mapping('fine', '/fine/')}---\n{annotated('late', 'taken')}")
    assert error["ename"] == "MappingRejected"
    assert error["evalue"].startswith("It is applied, and the gateway leaves out what is at fault: 1 error is shown")
    lines = value(shown).splitlines()
    assert lines[0].startswith(
        "applied, and the gateway has read it: Mapping default/fine, Service default/late; 1 error"
    )
    [place] = [number for number, line in enumerate(lines) if line.startswith("   ^")]
    assert lines[place - 1].endswith("      name: taken")
    assert "error: name: the name taken is taken in its namespace by Mapping default/taken" in lines[place]


def test_what_cannot_be_applied_is_told(shell: Kernel) -> None:
    _, error = shell.fail("%%mapping --apply\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}")
    assert "ConfigMap default/c says nothing to the gateway" in error["evalue"]
    # A Service beside its mapping is applied, and nobody waits for what a gateway says of it.
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: plain}\nspec: {ports: [{port: 80}]}"
    done = shell.run(f"%%mapping --apply\n{mapping('beside', '/beside/')}---\n{service}")
    assert value(done).startswith(
        "applied, and the gateway has read it: Mapping default/beside, Service default/plain;"
    )
    _, error = shell.fail("%%mapping --apply\n# nothing")
    assert error["evalue"].startswith("There is nothing to apply")


def test_which_gateway_is_used_is_said_once_and_several_are_asked_about(
    kernel: Kernel, stack: LocalStack, half: kfa.Exposure
) -> None:
    said = f"kfambassador: this machine: gateway at {stack.endpoint.url}\n"
    assert stderr(kernel.run("%routes --list")) == said, "none is bound, so one is connected to"
    assert stderr(kernel.run("%routes --list")) == ""
    kernel.run("import kfambassador as kfa; mine = kfa.connect('local', quiet=True)")
    assert stderr(kernel.run("%routes --list")) == said, "another than before"
    kernel.run("alias = mine; other = kfa.connect('local', quiet=True)")
    _, error = kernel.fail("%routes --list")
    assert error["evalue"] == "There are several gateways: mine, alias, other. Say which is meant with --gateway VAR"
    assert stderr(kernel.run("%routes --list --gateway other")) == said
    kernel.run("gateway = mine")
    assert stderr(kernel.run("%routes --list")) == "", "of several it is the usual name, and nobody wonders"
    _, error = kernel.fail("%routes --list --gateway mne")
    assert error["evalue"].endswith("no variable 'mne' that holds a gateway; did you mean mine?")
    _, error = kernel.fail("%routes --list --gateway kfa")
    assert error["evalue"] == "--gateway: kfa is no gateway, but module"
    _, error = kernel.fail("%routes --list --gateway mine --target local")
    assert "give one" in error["evalue"]


def test_a_gateway_that_has_gone_is_connected_to_anew(tmp_path: Path) -> None:
    with running_kernel(tmp_path) as kernel:
        kernel.run("%load_ext kfambassador")
        with shared_stack(tmp_path):
            kernel.run("%routes --list")
        with shared_stack(tmp_path) as stack:
            _, error = kernel.fail("%routes --list")
            assert error["ename"] == "NoGateway"
            assert stack.endpoint.url in stderr(kernel.run("%routes --list"))


def test_help_is_shown_and_ends_nothing(shell: Kernel) -> None:
    told = shell.tell("x = %expose --help\nprint('goes on', x)")
    assert told.startswith("%expose NAME SERVICE [OPTIONS]")
    assert told.endswith("goes on None")
    asked = shell.client.inspect("%routes", 7, reply=True, timeout=60)
    assert ROUTES.write_help().splitlines()[-1] in asked["content"]["data"]["text/plain"]
    _, error = shell.fail("%expose m 1 --srver x")
    assert error["evalue"] == "%expose has no option --srver; did you mean --server?"


@pytest.mark.parametrize(
    ("code", "offered", "fragment"),
    [
        ("%expose mnist 8501 --na", ["--namespace"], "--na"),
        ("m = %expose mnist 8501 --server ks", ["kserve-v1", "kserve-v2"], "ks"),
        ("%expose mnist 8501 --server=ml", ["--server=mlflow"], "--server=ml"),
        ("%expose mnist 8501 --wait --no", ["--no-wait"], "--no"),
        ("%expose ", ["half"], ""),
        ("%routes --gat", ["--gateway"], "--gat"),
        ("%explain P", ["POST", "PUT", "PATCH"], "P"),
        ("%explain POST /models/half:", ["/models/half:"], "/models/half:"),
        ("%explain -H a:b GET /models/half/", ["/models/half/"], "/models/half/"),
        ("%%mapping --app", ["--apply"], "--app"),
        ("%%mapping --policy s", ["strict"], "s"),
        ("%%predict ", ["half"], ""),
        ("%%predict h", ["half"], "h"),
        ("%%predict half --variant ", ["stable"], ""),
        ("%%predict half -H a:b --head", ["--header"], "--head"),
    ],
)
def test_tab_offers_what_can_follow(
    shell: Kernel, half: kfa.Exposure, code: str, offered: list[str], fragment: str
) -> None:
    shell.run("%routes --list")
    # What was asked a moment ago, before this model was there, is good for some seconds.
    until(lambda: shell.complete(code) == (offered, fragment), timeout=20.0)


def test_tab_leaves_everything_else_to_ipython(kernel: Kernel) -> None:
    kernel.run("rows_of_mine = [1]")
    assert kernel.complete("%%predict half\nrows_of")[0] == ["rows_of_mine"]
    assert kernel.complete("rows_of")[0] == ["rows_of_mine"]
    assert kernel.complete("%expo")[0] == ["%expose"]
    # Nobody is connected to for the sake of a word.
    assert "half" not in kernel.complete("%%predict h")[0]
    assert kernel.tell("import sys; print('kfambassador.sdk.gateway' in sys.modules)") == "False"


@contextmanager
def interrupting(pid: int) -> Iterator[None]:
    """Press Stop, and again after a while, as a person does: Python drops an interruption that meets a clean-up."""
    over = threading.Event()

    def press() -> None:
        os.kill(pid, signal.SIGINT)
        while not over.wait(5.0):
            os.kill(pid, signal.SIGINT)

    pressing = threading.Thread(target=press)
    pressing.start()
    try:
        yield
    finally:
        over.set()
        pressing.join()


def test_an_interruption_is_told_calmly_and_the_cell_fails(
    kernel: Kernel, stack: LocalStack, half: kfa.Exposure
) -> None:
    pid = int(kernel.tell("import os; print(os.getpid())"))
    number = kernel.begin("%expose slow 127.0.0.1:1 --timeout 60")
    with kfa.Gateway.at(stack.endpoint, quiet=True) as gateway:
        until(lambda: "slow" in {each.name for each in gateway.list_exposures()})
    with interrupting(pid):
        shown, [error] = kernel.end(number)
    assert error["ename"] == "KeyboardInterrupt"
    assert error["evalue"].startswith("Interrupted. If slow was applied already it stays published")
    assert len(error["traceback"]) == 1
    assert "kfambassador/sdk" in shown[-1]["data"]["text/html"], "the trace is folded up there"
    assert kernel.tell("print(1)") == "1"


def test_magics_work_in_a_terminal(home: Path, stack: LocalStack, half: kfa.Exposure) -> None:
    lines = "%load_ext kfambassador\n%routes half\n%expose half\n%tb\n"
    command = [
        sys.executable,
        "-m",
        "IPython",
        "--simple-prompt",
        "--no-banner",
        "--no-confirm-exit",
        "--colors=nocolor",
    ]
    done = subprocess.run(
        command, input=lines, capture_output=True, text=True, check=True, env=make_environment(home), timeout=120
    )
    assert "POST    /models/half:*  127.0.0.1:" in done.stdout
    words = "ConfigurationError: SERVICE is missing: write %expose NAME SERVICE [OPTIONS]."
    before, _, after = done.stdout.partition(words)
    assert "Traceback (most recent call last)" not in before
    assert "%tb shows the whole trace" in after
    assert "Traceback (most recent call last)" in after, "asked for by %tb"


GUIDE = Path(__file__).parents[2] / "docs/guide/notebooks.md"
SHOWN = re.compile(r"```ipython\n(.*?)```\n+```text\n(.*?)```\n", re.DOTALL)


def test_the_guide_shows_what_is_really_printed(home: Path, stack: LocalStack) -> None:
    cells = SHOWN.findall(GUIDE.read_text())
    assert len(cells) == 7
    with ModelServer("mnist") as first, ModelServer("mnist") as second, running_kernel(home) as kernel:
        url = stack.endpoint.url.removeprefix("http://")
        places = {"127.0.0.1:8080": url, "8501": str(first.port), "8502": str(second.port)}
        for code, shown in cells:
            outputs, failed = kernel.end(kernel.begin(_replace(code, places)))
            printed = [str(each.get("text") or each["data"]["text/plain"]) for each in outputs if not failed]
            # How far it has come is shown where it takes a while.
            printed = [each for each in printed if not each.startswith("<ExposureStatus ")]
            printed += [re.sub(r"\x1b\[\d+m", "", line) for each in failed for line in each["traceback"]]
            told = _replace("".join(f"{each.rstrip()}\n" for each in printed), {places[name]: name for name in places})
            assert normalise(told) == normalise(shown), code
        kernel.run("digits.delete()")


def _replace(text: str, places: dict[str, str]) -> str:
    for old, new in places.items():
        text = text.replace(old, new)
    return text
