"""Traps: what is served to the letter, and probably not as its author meant. Each is told with a request and its fate.

A trap is a WARNING. What is told here is what :mod:`kfambassador.routing.outcomes` makes of the request, not a second
opinion of it.
"""

import re
from collections.abc import Iterator
from typing import Final

from kfambassador.names import HEARSAY_HEADERS, HEARSAY_PREFIXES, IDENTITY_HEADERS
from kfambassador.problems import Fault, Severity
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.module import NO_MODULE, Module
from kfambassador.resources.validation import show
from kfambassador.routing.matches import HOST, METHOD
from kfambassador.routing.model import Match, PathKind, PathMatch, ValueKind, ValueMatch
from kfambassador.routing.outcomes import rewrite_path
from kfambassador.routing.requests import normalize_path

_FOREIGN_TO_PATHS: Final = re.compile(r"[\s?#]")
_ESCAPED_SLASH: Final = re.compile(r"%2f|%5c", re.IGNORECASE)
# The last part of a prefix that reads like the name of a folder. What ends otherwise (/x: or /x- or /logo.png) was cut
# there on purpose.
_FOLDER: Final = re.compile(r"/[A-Za-z0-9_-]*[A-Za-z0-9]")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
# No Host header holds these: the first four end it, the others are refused.
_FOREIGN_TO_HOSTS: Final = re.compile(r"[/?#\\@,\s]")


def find_traps(mapping: Mapping, match: Match, module: Module = NO_MODULE) -> tuple[Fault, ...]:
    """Find the traps in one mapping.

    Args:
        mapping: The mapping, with the gateway's defaults.
        match: Its conditions.
        module: What the gateway's owner asked of the listener.

    Example:
        >>> from kfambassador.routing.matches import build_match
        >>> mapping = Mapping(name="m", prefix="/models/test/", rewrite="/model/test/:predict", service="m")
        >>> find_traps(mapping, build_match(mapping))[0].message.partition(":")[0]
        'what follows the prefix is put right behind the rewrite'
    """
    traps = [*_find_path_traps(mapping, match.path, module), *_find_condition_traps(mapping, match, module)]
    if mapping.prefix_regex and mapping.prefix_exact:
        message = "prefix_regex and prefix_exact cannot both hold; the prefix is read as a regular expression"
        traps.append(_warn("prefix-twice", message, "prefix_exact"))
    return tuple(traps)


def _find_path_traps(mapping: Mapping, path: PathMatch, module: Module) -> Iterator[Fault]:
    if path.kind is not PathKind.REGEX:
        if _FOREIGN_TO_PATHS.search(path.text):
            return  # it is refused
        never = _find_why_never(mapping, path, module)
        if never is not None:
            # How it would be rewritten is of no interest then.
            yield never
            return
    if _rewrites(mapping) and not (mapping.rewrite or "/").startswith("/"):
        yield _tell_rewrite_without_slash(mapping, path)
    elif path.kind is PathKind.PREFIX:
        yield from _find_prefix_traps(mapping, path)


def _find_why_never(mapping: Mapping, path: PathMatch, module: Module) -> Fault | None:
    """Say why no path can match, if so."""
    text = path.text
    escaped = _ESCAPED_SLASH.search(text)
    if not text.startswith("/"):
        mended = "/" + text
        after = _show_fate(mapping, path._replace(text=mended), _below(path, mended))
        message = f"{show(text)} never matches, because every path starts with a slash; write {mended} (then {after})"
        return _warn("prefix-without-slash", message, "prefix")
    if escaped and module.reject_requests_with_escaped_slashes is not False:
        message = (
            f"{show(text)} never matches, because the gateway takes no {escaped[0]} in a path: "
            f"{_spell_method(mapping)} {text} -> 400; write it without"
        )
        return _warn("escaped-slash", message, "prefix")
    tail = "x" if path.kind is PathKind.PREFIX else ""
    tidied = normalize_path(text + tail, merge_slashes=module.merge_slashes is not False).removesuffix(tail)
    if tidied == text:
        return None
    asked, arrived = _below(path, text), _below(path, tidied)
    message = (
        f"{show(text)} never matches, because paths are tidied before any route is asked: "
        f"{_spell_method(mapping)} {asked} -> {arrived}; write {tidied}"
    )
    return _warn("folded-prefix", message, "prefix")


def _find_prefix_traps(mapping: Mapping, path: PathMatch) -> Iterator[Fault]:
    """Find what goes wrong below a prefix, where folders and text part company."""
    prefix, rewrite = path.text, "/" if mapping.rewrite is None else mapping.rewrite
    open_end, rewrites = not prefix.endswith("/"), _rewrites(mapping)
    doubled = rewrites and open_end and rewrite.endswith("/")
    doubling = f"{_show_fate(mapping, path, prefix + '/a')} has two slashes" if doubled else ""
    if open_end and _is_folder(mapping, prefix):
        other = _show_fate(mapping, path, _name_another(prefix))
        more = f", and {doubling}" if doubled else ""
        message = (
            f"{show(prefix)} is the beginning of a text, not a folder: {other} is taken too{more}; "
            f"write {prefix}/ for what is below it, or set prefix_exact for {prefix} alone"
        )
        yield _warn("open-prefix", message, "prefix")
    elif doubled:
        message = f"{doubling}; end both prefix and rewrite with a slash, or neither"
        yield _warn("doubled-slash", message, "rewrite" if mapping.rewrite else "prefix")
    elif rewrites and not open_end and rewrite and not rewrite.endswith("/"):
        yield _tell_glued(mapping, path, rewrite)


def _tell_glued(mapping: Mapping, path: PathMatch, rewrite: str) -> Fault:
    # Behind a verb such as :predict nothing can follow, so the author thinks of one path alone.
    is_verb = ":" in rewrite.rpartition("/")[2]
    fate = _show_fate(mapping, path, path.text + ("abc" if is_verb else "a"))
    advice = f"set prefix_exact if only {path.text} is meant"
    if not is_verb:
        advice = f"write {rewrite}/, or {advice}"
    return _warn(
        "glued-rewrite", f"what follows the prefix is put right behind the rewrite: {fate}; {advice}", "rewrite"
    )


def _tell_rewrite_without_slash(mapping: Mapping, path: PathMatch) -> Fault:
    rewrite = mapping.rewrite or ""
    fate = "" if path.kind is PathKind.REGEX else f": {_show_fate(mapping, path, _below(path, path.text))}"
    message = f"{show(rewrite)} makes no path that a service takes, without its slash{fate}; write /{rewrite}"
    return _warn("rewrite-without-slash", message, "rewrite")


def _rewrites(mapping: Mapping) -> bool:
    """Tell whether the matched prefix is replaced."""
    return mapping.regex_rewrite is None and not mapping.host_redirect and mapping.rewrite != ""


def _is_folder(mapping: Mapping, prefix: str) -> bool:
    """Tell whether a prefix without a slash at its end was meant as a folder rather than as the beginning of names.

    Where the path stays as it is, names below it are its author's own affair; so is what gRPC calls a service.
    """
    changes = mapping.host_redirect or mapping.regex_rewrite is not None or mapping.rewrite not in {"", prefix}
    return changes and not mapping.grpc and _FOLDER.fullmatch(prefix[prefix.rfind("/") :]) is not None


def _name_another(prefix: str) -> str:
    return prefix + ("kind" if prefix.endswith("man") else "-other")


def _below(path: PathMatch, text: str) -> str:
    """A path that a condition with this text takes."""
    if path.kind is PathKind.EXACT:
        return text
    return f"{text}a" if text.endswith("/") else f"{text}/a"


def _show_fate(mapping: Mapping, path: PathMatch, asked: str) -> str:
    """Show a request and what the service sees of it."""
    before = f"{_spell_method(mapping)} {asked}"
    return before if mapping.host_redirect else f"{before} -> {rewrite_path(path, mapping, asked)}"


def _spell_method(mapping: Mapping) -> str:
    return "GET" if mapping.method is None or mapping.method_regex else mapping.method


def _find_condition_traps(mapping: Mapping, match: Match, module: Module) -> Iterator[Fault]:
    """Find conditions on host and headers that no request meets."""
    for condition in match.headers:
        if condition.name == HOST:
            yield from _judge_host(condition, mapping)
        else:
            yield from _judge_header(condition, module)


def _judge_host(condition: ValueMatch, mapping: Mapping) -> Iterator[Fault]:
    host = condition.value
    if condition.kind in {ValueKind.REGEX, ValueKind.PRESENT}:
        return
    scheme, foreign = _SCHEME.match(host), _FOREIGN_TO_HOSTS.search(host)
    reason = ""
    if scheme:
        reason = f"a Host header has no {scheme[0]}; write {_SCHEME.sub('', host).partition('/')[0]}"
    elif foreign:
        reason = f"no Host header holds {foreign[0]!r}; take it out, or write a mapping for each host"
    elif "*" in host:
        reason = "* stands for other text only at one end of a host; set host_regex for more"
    elif host.endswith(".") and condition.kind is not ValueKind.PREFIX:
        reason = f"the dot at the end is taken off every Host header; write {host.rstrip('.')}"
    elif not host.isascii():
        reason = "Host headers are ASCII; write the name as DNS spells it (xn--...)"
    if reason:
        field = "hostname" if mapping.hostname else "host"
        yield _warn("host-never-matches", f"{show(host)} never matches, because {reason}", field)


def _judge_header(condition: ValueMatch, module: Module) -> Iterator[Fault]:
    name, reason = condition.name, ""
    if name == METHOD:
        return
    # An authorization service may say who the user is, and routes are then looked for once more.
    if name not in IDENTITY_HEADERS and (name in HEARSAY_HEADERS or name.startswith(HEARSAY_PREFIXES)):
        reason = "the gateway takes it off every request, because anybody could send it"
    elif "_" in name and module.headers_with_underscores_action != "ALLOW":
        reason = f"requests with an underscore in a header's name are refused; write {name.replace('_', '-')}"
    if reason:
        message = f"the condition on header {name} never holds, because {reason}"
        yield _warn("header-never-arrives", message, f"headers.{name}")


def _warn(code: str, message: str, path: str) -> Fault:
    return Fault(code, message, path=path, severity=Severity.WARNING)
