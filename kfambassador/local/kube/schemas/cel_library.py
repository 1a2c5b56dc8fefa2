"""CEL library: the functions that Kubernetes adds to CEL, in Python.

Addresses, URLs and quantities are maps here, each with one field that says what it is; so they can be compared with
``==`` as the cluster compares them.
"""

import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from itertools import islice, pairwise
from typing import Any, Final, TypeAlias
from urllib.parse import SplitResult, parse_qs, urlsplit

import re2

from kfambassador.local.kube.schemas.patterns import encode_text

#: An address or a network as CEL has it: as a text, or as what a function here made of one.
Written: TypeAlias = "str | dict[str, str]"
#: A function's name, whether it is a method, the types of what it takes and what it gives, and what it does.
Declared = tuple[str, bool, tuple[str, ...], str, Callable[..., Any]]

#: Where multicast ends at the next router.
_NEARBY: Final = (ipaddress.ip_network("224.0.0.0/24"), ipaddress.ip_network("ff02::/16"))
_QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?")
_SCALES: Final = {
    **{
        prefix: Decimal(1000) ** power
        for power, prefix in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), -3)
    },
    **{f"{prefix}i": Decimal(1024) ** power for power, prefix in enumerate("KMGTPE", 1)},
}


def _quantity(text: str) -> dict[str, str]:
    return {"quantity": str(_read_quantity(text).normalize())}


def _read_quantity(text: str) -> Decimal:
    found = _QUANTITY.fullmatch(text)
    if found is None:
        message = f"quantities must match the regular expression '{_QUANTITY.pattern}'"
        raise ValueError(message)
    number, unit, exponent = found.groups()
    return Decimal(number) * _SCALES[unit or ""] * Decimal(10) ** int(exponent or 0)


def _amount(quantity: dict[str, str]) -> Decimal:
    return Decimal(quantity["quantity"])


def _added(quantity: dict[str, str], other: int | dict[str, str], sign: int) -> dict[str, str]:
    more = Decimal(other) if isinstance(other, int) else _amount(other)
    return {"quantity": str((_amount(quantity) + sign * more).normalize())}


def _compare(quantity: dict[str, str], other: dict[str, str]) -> int:
    return (_amount(quantity) > _amount(other)) - (_amount(quantity) < _amount(other))


def _url(text: str) -> dict[str, str]:
    parts = urlsplit(text)
    if not (parts.scheme or text.startswith("/")) or re.search(r"\s", text):
        message = f'URL parse error during conversion from string: parse "{text}": invalid URI for request'
        raise ValueError(message)
    return {"url": text}


def _part(read: Callable[[SplitResult], Any]) -> Callable[[dict[str, str]], Any]:
    return lambda url: read(urlsplit(url["url"]))


def _ip(text: str) -> dict[str, str]:
    return {"ip": str(ipaddress.ip_address(text))}


def _address(value: Written) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(value if isinstance(value, str) else value["ip"])


def _cidr(text: str) -> dict[str, str]:
    if "/" not in text:
        message = f"network address parse error during conversion from string: {text!r}"
        raise ValueError(message)
    return {"cidr": str(ipaddress.ip_interface(text))}


def _network(value: Written) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(value if isinstance(value, str) else value["cidr"], strict=False)


def _contains(cidr: Written, other: Written) -> bool:
    whole, part = _network(cidr), _network(other)
    if isinstance(whole, ipaddress.IPv4Network):
        return isinstance(part, ipaddress.IPv4Network) and part.subnet_of(whole)
    return isinstance(part, ipaddress.IPv6Network) and part.subnet_of(whole)


def _reads(read: Callable[[str], Any]) -> Callable[[str], bool]:
    def can(text: str) -> bool:
        try:
            read(text)
        except (ValueError, InvalidOperation):
            return False
        return True

    return can


def _find(text: str, pattern: str) -> str:
    found = re2.search(encode_text(pattern), encode_text(text))
    return found[0].decode() if found else ""


def _find_all(text: str, pattern: str, most: int = -1) -> list[str]:
    found = re2.finditer(encode_text(pattern), encode_text(text))
    return [each[0].decode() for each in islice(found, None if most < 0 else most)]


_LISTS: Final[tuple[Declared, ...]] = (
    ("sum", True, ("LIST",), "DYN", sum),
    ("min", True, ("LIST",), "DYN", min),
    ("max", True, ("LIST",), "DYN", max),
    ("isSorted", True, ("LIST",), "BOOL", lambda items: all(one <= two for one, two in pairwise(items))),
    ("sets.contains", False, ("LIST", "LIST"), "BOOL", lambda one, two: all(item in one for item in two)),
    ("sets.intersects", False, ("LIST", "LIST"), "BOOL", lambda one, two: any(item in one for item in two)),
    (
        "sets.equivalent",
        False,
        ("LIST", "LIST"),
        "BOOL",
        lambda one, two: all(item in one for item in two) and all(item in two for item in one),
    ),
)
_TEXTS: Final[tuple[Declared, ...]] = (
    ("find", True, ("STRING", "STRING"), "STRING", _find),
    ("findAll", True, ("STRING", "STRING"), "LIST", _find_all),
    ("findAll", True, ("STRING", "STRING", "INT"), "LIST", _find_all),
    ("isURL", False, ("STRING",), "BOOL", _reads(_url)),
    ("url", False, ("STRING",), "MAP", _url),
    ("getScheme", True, ("MAP",), "STRING", _part(lambda parts: parts.scheme)),
    ("getHost", True, ("MAP",), "STRING", _part(lambda parts: parts.netloc.rpartition("@")[2])),
    ("getHostname", True, ("MAP",), "STRING", _part(lambda parts: parts.hostname or "")),
    ("getPort", True, ("MAP",), "STRING", _part(lambda parts: str(parts.port or ""))),
    ("getEscapedPath", True, ("MAP",), "STRING", _part(lambda parts: parts.path)),
    ("getQuery", True, ("MAP",), "MAP", _part(lambda parts: parse_qs(parts.query, keep_blank_values=True))),
)
_ADDRESSES: Final[tuple[Declared, ...]] = (
    ("isIP", False, ("STRING",), "BOOL", _reads(_ip)),
    ("ip", False, ("STRING",), "MAP", _ip),
    ("ip.isCanonical", False, ("STRING",), "BOOL", lambda text: _ip(text)["ip"] == text),
    ("family", True, ("MAP",), "INT", lambda ip: _address(ip).version),
    ("isUnspecified", True, ("MAP",), "BOOL", lambda ip: _address(ip).is_unspecified),
    ("isLoopback", True, ("MAP",), "BOOL", lambda ip: _address(ip).is_loopback),
    ("isGlobalUnicast", True, ("MAP",), "BOOL", lambda ip: not (_address(ip).is_multicast or _address(ip).is_loopback)),
    ("isLinkLocalUnicast", True, ("MAP",), "BOOL", lambda ip: _address(ip).is_link_local),
    ("isLinkLocalMulticast", True, ("MAP",), "BOOL", lambda ip: any(_address(ip) in net for net in _NEARBY)),
    ("isCIDR", False, ("STRING",), "BOOL", _reads(_cidr)),
    ("cidr", False, ("STRING",), "MAP", _cidr),
    ("containsIP", True, ("MAP", "MAP"), "BOOL", lambda cidr, ip: _address(ip) in _network(cidr)),
    ("containsIP", True, ("MAP", "STRING"), "BOOL", lambda cidr, ip: _address(ip) in _network(cidr)),
    ("containsCIDR", True, ("MAP", "MAP"), "BOOL", _contains),
    ("containsCIDR", True, ("MAP", "STRING"), "BOOL", _contains),
    ("ip", True, ("MAP",), "MAP", lambda cidr: {"ip": cidr["cidr"].partition("/")[0]}),
    ("masked", True, ("MAP",), "MAP", lambda cidr: {"cidr": str(_network(cidr))}),
    ("prefixLength", True, ("MAP",), "INT", lambda cidr: _network(cidr).prefixlen),
)
_QUANTITIES: Final[tuple[Declared, ...]] = (
    ("isQuantity", False, ("STRING",), "BOOL", _reads(_read_quantity)),
    ("quantity", False, ("STRING",), "MAP", _quantity),
    ("isGreaterThan", True, ("MAP", "MAP"), "BOOL", lambda one, two: _compare(one, two) > 0),
    ("isLessThan", True, ("MAP", "MAP"), "BOOL", lambda one, two: _compare(one, two) < 0),
    ("compareTo", True, ("MAP", "MAP"), "INT", _compare),
    ("sign", True, ("MAP",), "INT", lambda one: (_amount(one) > 0) - (_amount(one) < 0)),
    ("isInteger", True, ("MAP",), "BOOL", lambda one: _amount(one) == _amount(one).to_integral_value()),
    ("asInteger", True, ("MAP",), "INT", lambda one: int(_amount(one))),
    ("asApproximateFloat", True, ("MAP",), "DOUBLE", lambda one: float(_amount(one))),
    ("add", True, ("MAP", "MAP"), "MAP", lambda one, two: _added(one, two, 1)),
    ("add", True, ("MAP", "INT"), "MAP", lambda one, two: _added(one, two, 1)),
    ("sub", True, ("MAP", "MAP"), "MAP", lambda one, two: _added(one, two, -1)),
    ("sub", True, ("MAP", "INT"), "MAP", lambda one, two: _added(one, two, -1)),
)
#: All of them.
FUNCTIONS: Final[tuple[Declared, ...]] = (*_LISTS, *_TEXTS, *_ADDRESSES, *_QUANTITIES)
