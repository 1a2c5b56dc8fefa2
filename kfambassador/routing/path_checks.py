"""What is wrong with the paths of a mapping: those it takes, and those it makes of them."""

from collections.abc import Iterator
from typing import Final

from kfambassador.attributes.base import PathSubstitution
from kfambassador.problems import Fault, Severity
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.validation import show
from kfambassador.routing.regex import check_substitution
from kfambassador.routing.texts import check_expression, is_printable

# Characters that end a path or that no client sends in one.
_FOREIGN_TO_PATHS: Final = {" ": "a space", "?": "a question mark", "#": "a hash"}
# Where a redirect leads, the one that counts first.
_REDIRECTS: Final = ("path_redirect", "prefix_redirect", "regex_redirect")


def check_paths(mapping: Mapping) -> Iterator[Fault]:
    """Judge the paths a mapping takes, asks its service for and sends clients to."""
    yield from _check_text(mapping)
    if not mapping.prefix_regex:
        yield from _check_prefix(mapping.prefix)
    if mapping.regex_rewrite is not None:
        yield from _check_substitution(mapping.regex_rewrite, "regex_rewrite")
        if mapping.rewrite is not None:
            yield _tell_loser("rewrite", "regex_rewrite", Severity.NOTICE)
    if mapping.host_rewrite is not None and mapping.auto_host_rewrite:
        yield _tell_loser("auto_host_rewrite", "host_rewrite", Severity.NOTICE)
    yield from _check_redirect(mapping)


def _check_text(mapping: Mapping) -> Iterator[Fault]:
    """Refuse characters that no HTTP message can carry."""
    if not is_printable(mapping.prefix):
        yield _refuse_control(mapping.prefix, "prefix")
    for name, goes in (
        ("rewrite", "sent to the service"),
        ("host_rewrite", "sent to the service"),
        ("path_redirect", "told to clients"),
        ("prefix_redirect", "told to clients"),
    ):
        value = getattr(mapping, name)
        if value is not None:
            yield from _check_sent(value, name, goes)


def _check_sent(value: str, path: str, goes: str) -> Iterator[Fault]:
    if not is_printable(value):
        yield _refuse_control(value, path)
    elif " " in value:
        message = f"{show(value)} is {goes} as it is written, and may not hold a space; take it out"
        yield Fault("bad-character", message, path=path)


def _refuse_control(value: str, path: str) -> Fault:
    return Fault("bad-character", f"{show(value)} holds a control character; take it out", path=path)


def _check_prefix(prefix: str) -> Iterator[Fault]:
    foreign = next((each for each in _FOREIGN_TO_PATHS if each in prefix), "")
    if foreign:
        message = (
            f"{show(prefix)} never matches, because no path holds {_FOREIGN_TO_PATHS[foreign]}; "
            f"take it out or write %{ord(foreign):02X}"
        )
        if foreign == "?":
            message += "; what a query must hold is said by query_parameters"
        yield Fault("bad-character", message, path="prefix")


def _check_redirect(mapping: Mapping) -> Iterator[Fault]:
    given = [name for name in _REDIRECTS if getattr(mapping, name) is not None]
    if mapping.regex_redirect is not None:
        yield from _check_substitution(mapping.regex_redirect, "regex_redirect")
    if not mapping.host_redirect:
        code = ["redirect_response_code"] if mapping.redirect_response_code is not None else []
        yield from (_tell_no_redirect(name) for name in (*given, *code))
        return
    if mapping.shadow:
        message = "a shadow answers nobody, and so redirects nobody; it gets copies, and host_redirect has no effect"
        yield Fault("shadow-redirect", message, path="host_redirect", severity=Severity.WARNING)
    yield from (_tell_loser(name, given[0], Severity.WARNING) for name in given[1:])
    for name in ("path_redirect", "prefix_redirect"):
        value = getattr(mapping, name)
        if value is not None and not value.startswith("/"):
            # Behind the host's name it would be more of that name: another host.
            message = f"{show(value)} is put right behind a host's name, and must start with a slash; write /{value}"
            yield Fault("redirect-without-slash", message, path=name)


def _tell_no_redirect(name: str) -> Fault:
    message = f"{name} has no effect without host_redirect; set host_redirect: true, or leave it out"
    return Fault("no-effect", message, path=name, severity=Severity.WARNING)


def _tell_loser(loser: str, winner: str, severity: Severity) -> Fault:
    return Fault("no-effect", f"{loser} has no effect beside {winner}; leave one out", path=loser, severity=severity)


def _check_substitution(given: PathSubstitution, path: str) -> Iterator[Fault]:
    refused = tuple(check_expression(given.pattern, f"{path}.pattern"))
    yield from refused
    yield from _check_sent(given.substitution, f"{path}.substitution", "put into a path")
    reason = "" if refused else check_substitution(given.pattern, given.substitution)
    if reason:
        yield Fault("bad-substitution", f"{show(given.substitution)} {reason}", path=f"{path}.substitution")
