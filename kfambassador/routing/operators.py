"""Envoy's operators in headers: who may use which is the platform owner's word."""

import re
from collections.abc import Collection
from collections.abc import Mapping as Dict

from kfambassador.attributes.headers import HeaderFormat, HeaderForms, read_form
from kfambassador.resources.mapping import Mapping

#: An operator in a text, such as ``%PROTOCOL%`` or ``%REQ(x-team):20%``; its first group is its name.
OPERATOR = re.compile(r"%([A-Z][A-Z0-9_]*)(?:\([^()%]*\))?(?::[0-9]+)?%")

_FIELDS = ("add_request_headers", "add_response_headers")


def expand_operators(mapping: Mapping, allowed: Collection[str]) -> Mapping:
    """Let Envoy expand the operators of these names in the headers a mapping adds; all else stays literal.

    Args:
        mapping: What was written.
        allowed: Names of operators, such as ``PROTOCOL``.

    Returns:
        The very same mapping where there is nothing to expand.

    Example:
        >>> mapping = Mapping(name="m", prefix="/m/", service="m", add_request_headers={"x-p": "%PROTOCOL% 100%"})
        >>> expand_operators(mapping, {"PROTOCOL"}).add_request_headers["x-p"].value
        '%PROTOCOL% 100%%'
        >>> expand_operators(mapping, ()) is mapping
        True
    """
    if not allowed:
        return mapping
    updates: dict[str, object] = {}
    for name in _FIELDS:
        headers: Dict[str, HeaderForms] = getattr(mapping, name)
        expanded = {header: _expand(given, allowed) for header, given in headers.items()}
        if expanded != dict(headers):
            updates[name] = expanded
    return mapping.model_copy(update=updates) if updates else mapping


def _expand(given: HeaderForms, allowed: Collection[str]) -> HeaderForms:
    header = read_form(given)
    pieces, end = [], 0
    for found in OPERATOR.finditer(header.value):
        if found[1] in allowed:
            pieces += [header.value[end : found.start()].replace("%", "%%"), found[0]]
            end = found.end()
    if not pieces:
        return given
    return HeaderFormat(value="".join(pieces) + header.value[end:].replace("%", "%%"), append=header.append)
