"""A reader of our Dockerfile: as much of the notation as it uses, and an error for everything else."""

import json
import re
import shlex
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from pathlib import Path

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
#: What needs no doing to learn what the image will be.
_KEPT_AS_IT_IS = ("CMD", "ENTRYPOINT", "HEALTHCHECK", "LABEL", "USER")


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction.

    Attributes:
        instruction: Its name, such as ``RUN``.
        flags: What stands before its text, such as ``from`` of COPY; the last of several.
        text: The rest, variables replaced except in RUN, where the shell does that.
    """

    instruction: str
    flags: Dict[str, str]
    text: str


@dataclass(slots=True)
class Stage:
    """What one FROM begins.

    Attributes:
        base: The image it begins with.
        name: Its name for others; "" when it has none.
        steps: Its instructions in order.
        arguments: Its build arguments that have a value.
        environment: What ENV sets, in the end.
        facts: The last of each instruction that only says something, by name.
    """

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)
    arguments: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)

    def take(self, step: Step) -> None:
        """Take the next instruction in.

        Raises:
            ValueError: It is one that this reader does not know.
        """
        if step.instruction == "ARG":
            self.arguments.update(_read_pairs(step.text) if "=" in step.text else {})
            return
        if step.instruction == "ENV":
            self.environment.update(_read_pairs(self.fill_in(step.text)))
        elif step.instruction in _KEPT_AS_IT_IS:
            self.facts[step.instruction] = self.fill_in(step.text)
        elif step.instruction not in {"RUN", "COPY", "WORKDIR"}:
            raise ValueError(f"{step.instruction} is not known here")
        filled = step.text if step.instruction == "RUN" else self.fill_in(step.text)
        self.steps.append(Step(step.instruction, step.flags, filled))

    def fill_in(self, text: str) -> str:
        """Replace the variables that are known."""
        known = {**self.arguments, **self.environment}
        return _VARIABLE.sub(lambda found: known.get(found[1] or found[2], found[0]), text)

    @property
    def labels(self) -> dict[str, str]:
        """What LABEL says."""
        return _read_pairs(self.facts.get("LABEL", ""))

    def words(self, instruction: str) -> list[str]:
        """An ENTRYPOINT or CMD, which must be written as a list."""
        return [str(word) for word in json.loads(self.facts[instruction])]


def read_dockerfile(path: Path) -> list[Stage]:
    """Read a Dockerfile into its stages."""
    stages: list[Stage] = []
    before: dict[str, str] = {}
    for line in _logical_lines(path.read_text()):
        step = _read_step(line)
        if step.instruction == "FROM":
            base, *rest = _VARIABLE.sub(lambda found: before[found[1] or found[2]], step.text).split()
            stages.append(Stage(base, rest[1] if rest else ""))
        elif stages:
            stages[-1].take(step)
        else:
            before.update(_read_pairs(step.text))
    return stages


def _logical_lines(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return "\n".join(lines).replace("\\\n", " ").splitlines()


def _read_step(line: str) -> Step:
    instruction, _, rest = line.partition(" ")
    flags: dict[str, str] = {}
    rest = rest.lstrip()
    while rest.startswith("--"):
        flag, _, rest = rest.partition(" ")
        name, _, value = flag.removeprefix("--").partition("=")
        flags[name] = value
        rest = rest.lstrip()
    return Step(instruction.upper(), flags, rest.strip())


def _read_pairs(text: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in shlex.split(text))
