"""The magics there are, and what each takes: the words of a terminal's commands of the same names. Pure."""

from typing import Final

from kfambassador.errors import ConfigurationError
from kfambassador.notebook.magics.lines import Argument, Magic, Option
from kfambassador.sdk.reviewing import PolicyChoice
from kfambassador.sdk.shell_words import MEANINGS, ServerKind


def _read_seconds(word: str) -> float:
    try:
        seconds = float(word)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise ConfigurationError(f"--timeout is a number of seconds, such as 30, not {word!r}")
    return seconds


def _read_height(word: str) -> int:
    if not word.isdecimal() or not int(word):
        raise ConfigurationError(f"--height is a number of pixels, such as 600, not {word!r}")
    return int(word)


_GATEWAY: Final = Option(
    ("--gateway",), "The variable that holds the gateway to use; else the one there is, preferably gateway.", "VAR"
)
_TARGET: Final = Option(("--target",), f"Connect there instead: {MEANINGS['target']}", "X")
_WHERE: Final = (_GATEWAY, _TARGET)
_NAMESPACE: Final = Option(("--namespace", "-n"), MEANINGS["namespace"], "NS")
_HEADER: Final = Option(("--header", "-H"), MEANINGS["header"], "K:V", is_many=True)
_NO_FORMAT: Final = ("--format", "a magic gives its result back as a value, which can be assigned and asked")

ROUTES: Final = Magic(
    "routes",
    "Show the routes of the gateway as the route browser, which is given back; with --list, or where there are no "
    "widgets, as a list.",
    (
        Argument(
            "FILTER",
            "What to begin with, as it is typed above the browser. With --list: words that a row holds, -word for such "
            "as it does not.",
            is_rest=True,
        ),
    ),
    (
        Option(("--list",), "Give the list instead, in the order routes are evaluated."),
        Option(("--height",), "Pixels the browser has at most.", "PX", read=_read_height),
        *_WHERE,
    ),
    ("%routes", "%routes team-a state:conflict", "found = %routes --list mnist"),
    elsewhere=(_NO_FORMAT,),
)

EXPOSE: Final = Magic(
    "expose",
    "Publish a model, and give it back when it answers through the gateway: what comes back is the Exposure, and with "
    "--dry-run what would change.",
    (Argument("NAME", MEANINGS["new_name"]), Argument("SERVICE", MEANINGS["service"])),
    (
        Option(("--server",), MEANINGS["server"], "KIND", read=ServerKind, choices=tuple(ServerKind)),
        Option(("--model",), MEANINGS["model"], "NAME"),
        Option(("--set", "-s"), MEANINGS["set"], "X=Y", is_many=True),
        _NAMESPACE,
        Option(("--wait",), MEANINGS["wait"], no="--no-wait"),
        Option(("--timeout",), MEANINGS["timeout"], "SECONDS", read=_read_seconds),
        Option(("--ttl",), MEANINGS["ttl"], "SPAN"),
        Option(("--take-over",), MEANINGS["take_over"]),
        Option(("--dry-run",), MEANINGS["dry_run"]),
        *_WHERE,
    ),
    (
        "mnist = %expose mnist 8501",
        "%expose iris inferenceservice/iris --set timeout_ms=60000 --ttl 8h",
        "%expose {name} $port --dry-run",
    ),
    elsewhere=(_NO_FORMAT,),
)

EXPLAIN: Final = Magic(
    "explain",
    "Tell which route takes a request, and why the others do not; no service is asked. Gives the Explanation.",
    (Argument("METHOD", MEANINGS["method"]), Argument("URL", MEANINGS["url"])),
    (
        _HEADER,
        Option(("--file", "-f"), MEANINGS["file"], "FILE", is_many=True),
        Option(("--ask-envoy",), MEANINGS["ask_envoy"]),
        *_WHERE,
    ),
    (
        "%explain POST /models/mnist:predict",
        "%explain GET /models/mnist/ -H 'x-team: vision' --ask-envoy",
        "fate = %explain GET {mnist.url}",
    ),
    elsewhere=(_NO_FORMAT,),
)

_EXAMPLE: Final = """\
%%mapping
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: mnist}
spec: {hostname: '*', prefix: /mnist/, service: 'mnist:8501'}"""

MAPPING: Final = Magic(
    "mapping",
    "Judge the configuration in the cell, Ambassador's YAML of one or many documents, and show each problem at its "
    "line. Nothing is written unless --apply says so; then it is applied if it has no error, and waited for until "
    "the gateway has it. Gives what was found: false when there are errors.",
    (),
    (
        Option(("--apply",), "Apply it, where it has no error."),
        Option(
            ("--namespace", "-n"), "The namespace of what names none; the gateway's own default when not said.", "NS"
        ),
        Option(("--policy",), MEANINGS["policy"], "POLICY", read=PolicyChoice, choices=tuple(PolicyChoice)),
        Option(("--gateway-namespace",), MEANINGS["gateway_namespace"], "NAME"),
        Option(("--timeout",), MEANINGS["timeout"], "SECONDS", read=_read_seconds),
        *_WHERE,
    ),
    (
        _EXAMPLE,
        "%%mapping --apply --namespace team",
    ),
    is_cell=True,
    elsewhere=(_NO_FORMAT,),
)

PREDICT: Final = Magic(
    "predict",
    "Ask a published model with what is in the cell: JSON, or one Python expression. Gives the Prediction.",
    (Argument("NAME", MEANINGS["name"]),),
    (Option(("--variant",), MEANINGS["variant"], "VARIANT"), _HEADER, _NAMESPACE, *_WHERE),
    ("%%predict mnist\n[[1.0, 2.0]]", "%%predict mnist --variant canary\nframe.head(3).to_numpy()"),
    is_cell=True,
)

#: Every magic, by its name.
MAGICS: Final = {magic.name: magic for magic in (ROUTES, EXPOSE, EXPLAIN, MAPPING, PREDICT)}
