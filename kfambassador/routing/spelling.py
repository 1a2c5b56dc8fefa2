"""How a route is spelled in a line, of what :mod:`~kfambassador.routing.describe` gives."""

from collections.abc import Collection
from collections.abc import Mapping as Dict
from typing import Final

from kfambassador.attributes.redirecting import DEFAULT_REDIRECT_CODE
from kfambassador.resources.secrecy import is_secret_name

#: What begins an expression for whole paths.
REGEX_SIGN: Final = "~ "

# What changes the path, in the order of who counts.
_REWRITES: Final = ("regex_rewrite", "rewrite")
_REDIRECTS: Final = ("path_redirect", "prefix_redirect", "regex_redirect")
_HOST: Final = "host"


def spell_path(match: Dict[str, object]) -> str:
    """Spell the condition on the path.

    Example:
        >>> spell_path({"prefix": "/m/"}), spell_path({"exact": "/m"}), spell_path({"regex": "/m.*"})
        ('/m/*', '/m', '~ /m.*')
    """
    if "prefix" in match:
        return f"{match['prefix']}*"
    return str(match["exact"]) if "exact" in match else f"{REGEX_SIGN}{match['regex']}"


def spell_method(match: Dict[str, object]) -> str:
    """Spell the condition on the method; ``*`` when there is none."""
    return _spell(match.get("method", "*"))


def spell_host(match: Dict[str, object]) -> str:
    """Spell the condition on the host; ``*`` when there is none."""
    return _spell(match.get(_HOST, "*"))


def spell_conditions(match: Dict[str, object], *, without: Collection[str] = ()) -> str:
    """Spell all other conditions; of headers and parameters that may be secrets no more than the name.

    Example:
        >>> spell_conditions({"prefix": "/m/", "host": "a.example", "headers": {"x-team": "a", "x-token": "abc"}})
        'host=a.example x-team=a x-token=…'
        >>> spell_conditions({"host": "a.example", "query_parameters": {"v": {"regex": "[0-9]+"}}}, without=["host"])
        'v=~[0-9]+'
    """
    told = [f"{_HOST}={_spell(match[_HOST])}"] if _HOST in match and _HOST not in without else []
    for key in ("headers", "query_parameters"):
        wanted = match.get(key)
        if isinstance(wanted, dict):
            told += [_spell_condition(name, value) for name, value in wanted.items()]
    return " ".join(told)


def spell_place(service: str, attributes: Dict[str, object]) -> str:
    """Spell where requests go, or with which status clients are sent where.

    Example:
        >>> spell_place("m:80", {}), spell_place("b.example", {"host_redirect": True})
        ('m:80', '301 to http://b.example')
    """
    if not attributes.get("host_redirect"):
        return service
    code = attributes.get("redirect_response_code") or DEFAULT_REDIRECT_CODE
    return f"{code} to {service if '://' in service else f'http://{service}'}"


def spell_rewrite(attributes: Dict[str, object]) -> str:
    """Spell what replaces the matched part of the path, or ``~expression to substitution``; "" when nothing is said.

    Example:
        >>> spell_rewrite({"rewrite": "/v1/"}), spell_rewrite({"rewrite": ""}), spell_rewrite({})
        ('/v1/', 'as it is', '')
    """
    names = _REDIRECTS if attributes.get("host_redirect") else _REWRITES
    said = next((attributes[name] for name in names if attributes.get(name) is not None), None)
    if isinstance(said, dict):
        return f"~{said.get('pattern')} to {said.get('substitution')}"
    return "" if said is None else str(said) or "as it is"


def _spell_condition(name: str, wanted: object) -> str:
    if wanted is True:
        return name
    return f"{name}={'…' if is_secret_name(name) else _spell(wanted)}"


def _spell(value: object) -> str:
    """Spell one value of a condition; an object holds the kind of comparison and what is compared with.

    Of a list all hold.
    """
    if isinstance(value, list):
        return "&".join(map(_spell, value))
    if not isinstance(value, dict):
        return str(value)
    return " ".join(f"~{wanted}" if kind == "regex" else f"{kind}:{wanted}" for kind, wanted in value.items())
