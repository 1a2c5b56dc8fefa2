"""What a step says is said of steps and their inputs: the SDK's own texts are read, and none is left untranslated."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kfambassador
from kfambassador.errors import ConfigurationError, KfAmbassadorError
from kfambassador.pipelines import functions
from kfambassador.pipelines.steps.publishing import publish
from kfambassador.pipelines.steps.running import as_step
from kfambassador.pipelines.steps.shifting import shift
from kfambassador.pipelines.steps.wording import tell
from kfambassador.sdk.attributes import MappingAttributes

ROOT = Path(kfambassador.__file__).parent
#: Whose texts a step can come to tell.
TOLD = ("sdk", "kube", "routing", "resources", "attributes", "errors.py", "problems.py", "local/daemon.py")
#: What no step does, so that nobody reads of it in one.
UNTOLD = {
    "sdk/asking.py": "steps ask for predictions, and not for chats",
    "sdk/applying.py": "steps apply no files",
    "sdk/calling/bodies.py": "what kfp hands over is JSON already",
    "sdk/calling/credentials.py": "steps show no credentials",
    "sdk/calling/http.py": "steps show no credentials, and give no addresses",
    "sdk/connecting.py": "steps say no addresses",
    "sdk/faces": "drawings",
    "sdk/grpc": "steps call by HTTP",
    "sdk/publishing/asked.py": "kfp has judged the types",
    "sdk/reviewing.py": "steps review no files",
    "kube/permissions.py": "kubectl's own command",
}
#: The same of single texts: steps read no settings, and give a Guard.
UNSAID = ("'X' is no setting", "while_: expected")


def find_speech() -> re.Pattern[str]:
    """What is said to Python, or in a terminal, and to no step."""
    handles = (kfambassador.Gateway, kfambassador.Exposure)
    verbs = {name for each in handles for name, _ in inspect.getmembers(each, inspect.isfunction) if name[0] != "_"}
    verbs |= {name for name in kfambassador.__all__ if name[0] != "_"}
    steps = [each for _, each in inspect.getmembers(functions, inspect.isfunction)]
    inputs = {name for each in steps for name in inspect.signature(each).parameters}
    keywords = "|".join([*sorted(MappingAttributes.__annotations__.keys() - inputs), "retries", "url", "credentials"])
    return re.compile(rf"\b(?:{'|'.join(sorted(verbs))})\(|(?<![\w-])--[a-z]|(?<![\w?&.])(?:{keywords})=(?!=)")


def read_texts(path: Path) -> Iterator[tuple[int, str]]:
    """Every text of a module but its docstrings; with X for what is put in."""
    tree = ast.parse(path.read_text())
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(inner) for part in node.values for inner in ast.walk(part)}
            yield node.lineno, "".join(map(fill, node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.lineno, node.value


def fill(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    if isinstance(part.value, ast.Name) and part.value.id == "server":
        return "TFServing"
    return "'X'" if part.conversion == ord("r") else "X"


def test_no_text_that_a_step_can_tell_is_left_in_the_words_of_python_or_a_terminal() -> None:
    speech, left, translated = find_speech(), [], 0
    for told in TOLD:
        for path in sorted((ROOT / told).rglob("*.py")) or [ROOT / told]:
            place = path.relative_to(ROOT).as_posix()
            if place.startswith(tuple(UNTOLD)):
                continue
            for line, text in read_texts(path):
                if " " in text and speech.search(text) and not text.startswith(UNSAID):
                    translated += 1
                    left += [f"{place}:{line}: {tell(text)}"] if speech.search(tell(text)) else []
    assert left == []
    assert translated > 15


@pytest.mark.parametrize(
    ("sdk", "step"),
    [
        ("m stays; delete_exposure('m3') takes it away", "m stays; delete_route(name='m3') takes it away"),
        ("take them over with expose(..., take_over=True)", "take them over with publish_route(take_over=True)"),
        ("say TFServing(model=...), or --model on the command line", "say model=..."),
        ("or say Guard(min_requests=0)", "or say min_requests=0"),
        ("Give it prefix=, or a higher precedence=",
         'Give it attributes["prefix"] of publish_route, or a higher attributes["precedence"] of publish_route'),
        ("POST /models/m/?host=a&weight=1 answered 404", "POST /models/m/?host=a&weight=1 answered 404"),
        ("it asks for host=example.org", "it asks for host=example.org"),
        ("kubectl create rolebinding b --namespace n", "kubectl create rolebinding b --namespace n"),
    ],
)  # fmt: skip
def test_words_of_the_sdk_become_those_of_a_step(sdk: str, step: str) -> None:
    assert tell(sdk) == step
    with pytest.raises(SystemExit, match=re.escape(step)), as_step():
        raise KfAmbassadorError(sdk)


SHIFT: dict[str, Any] = {
    "steps": [10.0], "every": "1s", "error_rate": 0.0, "min_requests": 0, "promote": True, "variant": "canary",
}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"every": "5x"}, "every: '5x' is no span of time"),
        ({"every": "99999999999999999999h"}, "every: '99999999999999999999h' is longer than ten years"),
        ({"every": f"{'9' * 400}s"}, "s' is longer than ten years"),
        ({"every": "0s"}, "every: in no time a canary cannot be watched, so it would be promoted unseen"),
        ({"steps": [True, 100.0]}, "steps: expected growing percentages from 0 to 100, got [True, 100]"),
        ({"steps": [False, 100.0]}, "steps: expected growing percentages from 0 to 100, got [False, 100]"),
        ({"error_rate": 5.0}, "error_rate: expected a part of the requests"),
        ({"min_requests": -1}, "min_requests: expected how many"),
        ({"server": "tfservin"}, "server: 'tfservin' is no kind of server; did you mean tfserving?"),
        ({"server": "http", "model": "m"}, "model= says what a server calls its model; a server of kind http has no"),
        ({"variant": "Canary_2"}, "variant: 'Canary_2' cannot name a variant: small letters"),
        ({"steps": [0.0]}, "steps: with 0 percent a canary gets no request"),
        ({"steps": [50.0, 10.0]}, "steps: expected growing percentages"),
    ],
)
def test_what_is_wrong_with_an_input_of_a_shift_is_said_by_its_name(said: dict[str, Any], words: str) -> None:
    with pytest.raises(SystemExit, match=re.escape(words)), as_step():
        shift("mnist", "1", **{**SHIFT, **said}, log=lambda _name, _value: None, report_path="unwritten")


def test_what_is_wrong_with_an_input_of_a_publication_is_said_by_its_name() -> None:
    with pytest.raises(ConfigurationError, match="ttl: '8x' is no span of time"):
        publish("mnist", ttl="8x", mapping_path="unwritten")
    with pytest.raises(ConfigurationError, match="ttl: '99999999999d' is longer than ten years"):
        publish("mnist", ttl="99999999999d", mapping_path="unwritten")
