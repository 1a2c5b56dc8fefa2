"""The fields by which Ambassador's conversion notes how an older version spelled something, read back.

They stand in objects that Ambassador's webhook converted to v3alpha1; those of conditions also in what
:mod:`kfambassador.resources.writing` writes, because ``true`` takes values that the expression for it does not.
"""

import re
from typing import Final

from kfambassador.resources.fields import as_object, as_text

#: Names in ``regex_headers`` that were ``true`` in ``headers``.
BOOL_HEADERS: Final = "v2BoolHeaders"
#: The same of query parameters.
BOOL_QUERY_PARAMETERS: Final = "v2BoolQueryParameters"
#: How ``tls`` and the service's scheme were spelled.
EXPLICIT_TLS: Final = "v2ExplicitTLS"

#: Attributes that v2 got later, under v3alpha1's name with a mark.
_MARKED_NAMES: Final = {"v3StatsName": "stats_name", "v3health_checks": "health_checks"}
#: What stands before the ids of objects of v3alpha1 that were stored as v2.
_MARKED_ID: Final = "--apiVersion-v3alpha1-only--"

#: The expression that stands for ``true``.
ANY_VALUE: Final = ".*"

_BOOLEANS = {"bool:true": True, "bool:false": False}
_SCHEME = re.compile(r"^https?://", re.IGNORECASE)


def restore_spelling(fields: dict[str, object]) -> dict[str, object]:
    """Read a mapping's helper fields back into what they stand for; one that fits nothing stays, and is told.

    Example:
        >>> restore_spelling({"regex_headers": {"x": ".*", "y": "a"}, "v2BoolHeaders": ["x"]})
        {'regex_headers': {'y': 'a'}, 'headers': {'x': True}}
    """
    if not any(helper in fields for helper in (BOOL_HEADERS, BOOL_QUERY_PARAMETERS, EXPLICIT_TLS, *_MARKED_NAMES)):
        return fields
    restored = {
        (_MARKED_NAMES.get(name, name) if _MARKED_NAMES.get(name) not in fields else name): value
        for name, value in fields.items()
    }
    _restore_conditions(restored, "headers", BOOL_HEADERS)
    _restore_conditions(restored, "query_parameters", BOOL_QUERY_PARAMETERS)
    _restore_tls(restored)
    return restored


def restore_id(gateway_id: object) -> object:
    """Take from a gateway's id the mark of objects that Ambassador stored in another version.

    Example:
        >>> restore_id("--apiVersion-v3alpha1-only--default")
        'default'
    """
    return gateway_id.removeprefix(_MARKED_ID) if isinstance(gateway_id, str) else gateway_id


def _restore_conditions(fields: dict[str, object], name: str, helper: str) -> None:
    expressions = dict(as_object(fields.get(f"regex_{name}")))
    names = fields.get(helper)
    if not isinstance(names, list) or not all(
        isinstance(each, str) and expressions.get(each) == ANY_VALUE for each in names
    ):
        return
    del fields[helper]
    for each in names:
        expressions.pop(each, None)
    fields[name] = {**as_object(fields.get(name)), **dict.fromkeys(names, True)}
    if expressions:
        fields[f"regex_{name}"] = expressions
    else:
        del fields[f"regex_{name}"]


def _restore_tls(fields: dict[str, object]) -> None:
    note = as_object(fields.get(EXPLICIT_TLS))
    written = _BOOLEANS.get(as_text(note.get("tls")))
    if written is None or fields.get("tls", "") != "":
        return
    del fields[EXPLICIT_TLS]
    fields["tls"] = written
    scheme, service = note.get("serviceScheme"), as_text(fields.get("service"))
    if written and isinstance(scheme, str) and (not scheme or _SCHEME.fullmatch(scheme)):
        fields["service"] = scheme + _SCHEME.sub("", service)
