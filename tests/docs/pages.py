"""A page of the guide as a walk: its blocks are run in their order, and what they print is what the page shows.

- ``python`` blocks run in one session. What one prints stands in the ``text`` block right after it.
- ``console`` blocks hold commands, each after ``$``, and what they print on both of their streams. A command that ends
  with ``&`` goes on in the background, and shows its first line.
- ``yaml`` blocks whose first line is a comment with a file's name are saved under it.
- All other blocks are only read.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from collections.abc import Mapping as Dict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, Self

_FENCE: Final = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_FILE: Final = re.compile(r"# ([\w./-]+\.yaml)\n")
_PATIENCE: Final = 60.0

#: What differs from run to run, and what stands for it when a page and a run are compared.
_VARYING: Final = tuple(
    (re.compile(pattern, re.MULTILINE), stands)
    for pattern, stands in (
        (r"^kfambassador: \S+: waiting (?:for|until) .*\n", ""),  # said only when it takes long
        (r"\d+(\.\d+)? ms", "N ms"),
        (r"\b\d+\.\d\d\b", "N"),  # requests per second
        (r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)", "TIME"),
        (r"_[0-9a-f]{16}\b", "_HASH"),
        (r"127\.0\.0\.1:\d{5}", "127.0.0.1:N"),  # a port that nobody chose
        (r" {2,}", "  "),  # columns are as wide as what is in them
        (r" +$", ""),
    )
)


class Block(NamedTuple):
    """A block that prints something: what is run, and the part of the page that shows its output."""

    kind: str
    code: str
    shown: str
    start: int
    end: int


@dataclass
class Stage:
    """Where a page is followed.

    Attributes:
        folder: The current directory.
        environ: The environment.
        ports: The ports a page names, and those that stand for them here.
    """

    folder: Path
    environ: Dict[str, str]
    ports: dict[str, int] = field(default_factory=dict)
    _parts: ExitStack = field(default_factory=ExitStack)
    _session: "subprocess.Popen[str] | None" = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._parts.close()

    def run(self, block: Block) -> str:
        """Run a block; give what the page should show of it."""
        if block.kind == "python":
            return self._show(self._ask_session(self._place(block.code)))
        return "".join(f"{said}{self._show(self._command(said))}" for said in split_commands(block.code))

    def save(self, name: str, text: str) -> None:
        """Save a file that a page shows."""
        (self.folder / name).write_text(self._place(text))

    def _place(self, text: str) -> str:
        return _replace_ports(text, {shown: str(real) for shown, real in self.ports.items()})

    def _show(self, text: str) -> str:
        shown = _replace_ports(text, {str(real): shown for shown, real in self.ports.items()})
        return shown.replace(str(self.folder), "/home/me")

    def _ask_session(self, code: str) -> str:
        session = self._session = self._session or self._open(
            [sys.executable, str(Path(__file__).with_name("reader.py"))]
        )
        assert session.stdin is not None
        assert session.stdout is not None
        session.stdin.write(json.dumps(code) + "\n")
        session.stdin.flush()
        answer = session.stdout.readline()
        assert answer, f"it ended the session:\n{code}\n{(self.folder / 'stderr').read_text()}"
        return str(json.loads(answer))

    def _command(self, said: str) -> str:
        command = self._place(said.removeprefix("$ ").rstrip())
        if command.endswith("&"):
            process = self._open(["bash", "-c", f"exec {command.removesuffix('&')}"])
            assert process.stdout is not None
            return process.stdout.readline()
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        return done.stdout

    def _open(self, command: list[str]) -> "subprocess.Popen[str]":
        errors = self._parts.enter_context((self.folder / "stderr").open("a"))
        process = self._parts.enter_context(
            subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        )
        self._parts.callback(process.terminate)
        return process


def _replace_ports(text: str, places: Dict[str, str]) -> str:
    """Replace all at once: what stands for one port may be the name of another."""
    return re.sub(r"(?<!\d)\d{4,5}(?!\d)", lambda found: places.get(found[0], found[0]), text)


def find_blocks(text: str) -> Iterator[Block]:
    """Find the blocks of a page that are run, and the files it saves."""
    fences = list(_FENCE.finditer(text))
    for fence, following in zip(fences, [*fences, None][1:], strict=True):
        kind, code = fence.groups()
        if kind == "python":
            follows = (
                following is not None and following[1] == "text" and not text[fence.end() : following.start()].strip()
            )
            shown = following[2] if following and follows else ""
            start, end = (following.start(), following.end()) if following and follows else (fence.end(), fence.end())
            yield Block(kind, code, shown, start, end)
        elif kind == "console":
            yield Block(kind, code, code, fence.start(), fence.end())
        elif kind == "yaml" and _FILE.match(code):
            yield Block(kind, code, "", fence.end(), fence.end())


def split_commands(code: str) -> Iterator[str]:
    """Split a console block into its commands, each with its prompt and its lines."""
    goes_on = False
    command = ""
    for line in code.splitlines(keepends=True):
        if line.startswith("$ ") or goes_on:
            command += line
            goes_on = line.endswith("\\\n")
            if not goes_on:
                yield command
                command = ""


def follow(text: str, stage: Stage) -> str:
    """Follow a page; give it as it should be. What only differs as it may stays as it is."""
    pieces, position = [], 0
    for block in find_blocks(text):
        if block.kind == "yaml":
            name = _FILE.match(block.code)
            stage.save(name[1] if name else "", block.code)
            continue
        printed = stage.run(block)
        if normalise(printed) != normalise(block.shown):
            pieces += [text[position : block.start], write_output(block, printed)]
            position = block.end
    return "".join([*pieces, text[position:]])


def write_output(block: Block, printed: str) -> str:
    """Write what a block printed as a block of the page."""
    text = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
    if block.kind == "console":
        return f"```console\n{text}```\n"
    gap = "" if block.shown else "\n"
    return f"{gap}```text\n{text}```\n" if text else ""


def normalise(text: str) -> str:
    """Leave out what differs from run to run."""
    for pattern, stands in _VARYING:
        text = pattern.sub(stands, text)
    return text
