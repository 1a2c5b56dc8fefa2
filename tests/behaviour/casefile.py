"""The case files: what they may say, and how their short forms are read.

The format is described in ``cases/README.md``. A key it does not know is a fault: a typo cannot pass for a test.
"""

import re
from collections.abc import Mapping as Dict
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

FOLDER = Path(__file__).parent / "cases"

_OUTCOME = re.compile(r"^(?:(?P<status>[1-5]\d\d)(?: (?P<text>.+))?|(?P<backend>[a-z][\w.-]*)(?: (?P<path>[/*]\S*))?)$")
_STATUS_AND_BACKEND = re.compile(r"^(?P<backend>[a-z][\w.-]*)(?: (?P<path>[/*]\S*))?$")

#: What is expected of a header: its value, ``~ expression`` for a regular expression of the whole value, true for any
#: value, null for its absence.
Value = str | bool | None


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _read_outcome(value: object) -> object:
    """Read ``404``, ``a``, ``a /path`` and ``503 a``."""
    if isinstance(value, int):
        return {"status": value}
    if not isinstance(value, str):
        return value
    parts = _OUTCOME.match(value)
    if parts is None:
        raise ValueError(f"{value!r} is no outcome; write a status, a backend, a backend and a path, or a block")
    said: dict[str, object] = {}
    if parts["status"]:
        said["status"] = int(parts["status"])
    rest = _STATUS_AND_BACKEND.match(parts["text"] or value) if parts["text"] or parts["backend"] else None
    if parts["text"] and rest is None:
        raise ValueError(f"{parts['text']!r} in {value!r} is no backend")
    return said | ({key: text for key, text in rest.groupdict().items() if text} if rest else {})


class Expect(_Strict):
    """What is to come of a request."""

    status: int | None = None
    grpc: str | None = None
    backend: str | None = None
    method: str | None = None
    path: str | None = None
    headers: Dict[str, Value] = {}
    spelled: tuple[str, ...] = ()
    body: str | None = None
    response: Dict[str, Value] = {}
    text: str | None = None
    location: str | None = None
    attempts: int | None = None
    shares: Dict[str, float] = {}
    sticky: bool = False
    mirrored: Dict[str, "Mirrored"] = {}
    stats: Dict[str, int] = {}

    @property
    def code(self) -> int:
        """The status; 200 unless another is asked for."""
        return 200 if self.status is None else self.status


class Mirror(_Strict):
    """What a backend is to see beside the answer: how often, and what the last of them was."""

    times: int | None = None
    share: float | None = None
    method: str | None = None
    path: str | None = None
    headers: Dict[str, Value] = {}
    body: str | None = None


def _read_mirror(value: object) -> object:
    if isinstance(value, int):
        return {"times": value}
    return {"path": value} if isinstance(value, str) else value


Mirrored = Annotated[Mirror, BeforeValidator(_read_mirror)]
Expect.model_rebuild()


class Answering(_Strict):
    """What backends are told to answer to one request; see :class:`tests.backends.Answer`."""

    status: int = 200
    headers: Dict[str, str | list[str]] = {}
    times: int | None = None
    hold: bool = False
    body: str = ""
    size: int = 0


class Request(_Strict):
    """One request, and what is to come of it."""

    send: str
    host: str = "gateway.example"
    headers: Dict[str, str | list[str]] = {}
    body: str | None = None
    times: Annotated[int, Field(ge=1)] = 1
    upgrade: str | None = None
    version: Literal["HTTP/1.0", "HTTP/1.1"] = "HTTP/1.1"
    during: str | None = None
    cookies: bool = False
    eventually: bool = False
    answer: Answering | None = None
    answers: Dict[str, Answering] = {}
    expect: Annotated[Expect, BeforeValidator(_read_outcome)]

    @property
    def method(self) -> str:
        """What is sent: an HTTP method, GRPC or GRPC-WEB."""
        return self.send.split(" ", 1)[0]

    @property
    def target(self) -> str:
        """The path and query as they go on the wire."""
        return self.send.split(" ", 1)[1]

    @model_validator(mode="before")
    @classmethod
    def _read_sentence(cls, value: object) -> object:
        """Read ``GET /path -> outcome``, as the whole request or in its ``send``."""
        said: dict[str, Any] = (
            {"send": value} if isinstance(value, str) else dict(value) if isinstance(value, dict) else {}
        )
        line, arrow, outcome = str(said.get("send", "")).partition(" -> ")
        if arrow:
            if "expect" in said:
                raise ValueError(f"{said['send']!r} says what to expect twice")
            said["send"] = line
            said["expect"] = int(outcome) if outcome.isdigit() else outcome
        if not re.match(r"^[A-Z-]+ \S+$", said.get("send", "")):
            raise ValueError(f"{said.get('send')!r} is no request; write METHOD /path")
        return said


class Case(_Strict):
    """What somebody applies, and the requests that show what it does."""

    name: str
    features: tuple[str, ...] = Field(min_length=1)
    resources: str
    namespace: str = "default"
    policy: Literal["laptop", "cluster", "permissive"] = "laptop"
    filters: tuple[Literal["auth", "ratelimit"], ...] = ()
    problems: tuple[str, ...] | None = None
    proxied: str | None = None
    answers: Dict[str, Answering] = {}
    clusters: Dict[str, Dict[str, Any]] = {}
    listener: Dict[str, Any] = {}
    requests: tuple[Request, ...] = Field(min_length=1)


def read_cases(path: Path) -> tuple[Case, ...]:
    """Read a case file.

    Raises:
        ValueError: Something in it is not of the format; the message says where.
    """
    # Every worker reads them all before its first test, and the C parser is ten times as fast.
    written = yaml.load(path.read_text(), yaml.CSafeLoader)
    cases = tuple(Case.model_validate(each) for each in written or ())
    names = [case.name for case in cases]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f"{path.name} has two cases by the name {', '.join(sorted(repeated))}")
    return cases


def all_cases() -> dict[str, Case]:
    """Every case by ``family: name``."""
    return {f"{path.stem}: {case.name}": case for path in sorted(FOLDER.glob("*.yaml")) for case in read_cases(path)}
