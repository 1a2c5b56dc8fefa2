"""Probes: whether the server is well, in one word or check by check. Pure."""

from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple

#: The paths of all checks together, each of which may be followed by the name of one.
PROBES: Final = ("/healthz", "/livez", "/readyz")


class Outcome(NamedTuple):
    """What a probe answers."""

    is_well: bool
    text: str


#: Sees whether something is well; raises when it is not.
Check = Callable[[], None]


def split_probe(path: str) -> tuple[str, str] | None:
    """Split a path into probe and check, "" for all; None when it is no probe's.

    Example:
        >>> split_probe("/livez/ping"), split_probe("/livez"), split_probe("/api")
        (('/livez', 'ping'), ('/livez', ''), None)
    """
    probe, _, check = path.removeprefix("/").partition("/")
    return (f"/{probe}", check) if f"/{probe}" in PROBES else None


def run_checks(
    checks: Mapping[str, Check], probe: str, *, is_verbose: bool = False, excluded: Collection[str] = ()
) -> Outcome:
    """Run checks and tell how they went; what failed is named, and why stands in the server's log only.

    Example:
        >>> print(run_checks({"ping": lambda: None}, "/livez", is_verbose=True).text, end="")
        [+]ping ok
        livez check passed
    """
    name = probe.removeprefix("/")
    lines: list[str] = []
    is_well = True
    for check, run in checks.items():
        if check in excluded:
            lines.append(f"[+]{check} excluded: ok")
        elif _passes(run):
            lines.append(f"[+]{check} ok")
        else:
            is_well = False
            lines.append(f"[-]{check} failed: reason withheld")
    if unknown := sorted(set(excluded) - checks.keys()):
        lines.append(f"warn: some health checks cannot be excluded: no matches for {', '.join(map(repr, unknown))}")
    if not is_well:
        return Outcome(is_well, "\n".join((*lines, f"{name} check failed", "")))
    return Outcome(is_well, "\n".join((*lines, f"{name} check passed", "")) if is_verbose else "ok")


def _passes(check: Check) -> bool:
    try:
        check()
    except Exception:  # noqa: BLE001 - whatever it is, that is what the check is for
        return False
    return True
