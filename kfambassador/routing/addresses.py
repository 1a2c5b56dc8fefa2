"""IP addresses however they are written, and which of them nobody's mapping may reach."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

#: What a cloud's metadata service is, for messages.
METADATA: Final = "the cloud's metadata service, which hands out the machine's credentials"
#: Networks that are nobody's service, and what they are. Loopback is apart: a laptop's models run there.
_REFUSED: Final = tuple(
    (ip_network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "the machine itself"),  # RFC 1122: this host on this network
        ("::/128", "the machine itself"),
        ("169.254.0.0/16", "link-local, where clouds serve the machine's metadata and credentials"),  # RFC 3927
        ("fe80::/10", "link-local"),  # RFC 4291
        ("224.0.0.0/4", "multicast"),
        ("ff00::/8", "multicast"),
        ("255.255.255.255/32", "the broadcast address"),
        ("100.100.100.200/32", METADATA),  # Alibaba Cloud
        ("168.63.129.16/32", METADATA),  # Azure
        ("192.0.0.192/32", METADATA),  # Oracle Cloud
        ("fd00:ec2::/32", METADATA),  # AWS
        ("fd20:ce::254/128", METADATA),  # Google Cloud
    )
)
# Networks whose last 32 bits are an IPv4 address that a host or a router on the way may take them to.
_EMBEDDING: Final = tuple(
    map(
        IPv6Network,
        (
            "::ffff:0:0/96",  # mapped (RFC 4291)
            "::/96",  # compatible (RFC 4291)
            "::ffff:0:0:0/96",  # translated (RFC 2765)
            "64:ff9b::/96",  # NAT64 (RFC 6052)
            "64:ff9b:1::/48",  # NAT64 of a network's own (RFC 8215)
        ),
    )
)
_LAST_32_BITS: Final = 0xFFFFFFFF
# What C libraries read as an IPv4 address: one to four numbers, decimal, octal or hexadecimal (inet_aton).
_NUMBER = r"(?:0x[0-9a-f]*|[0-9]+)"
_NUMBERS = re.compile(rf"{_NUMBER}(?:\.{_NUMBER}){{0,3}}", re.IGNORECASE)
# The name of a pod: its address with dashes for dots or colons.
_DASHED = re.compile(r"[0-9a-f]*(?:-[0-9a-f]*)+")


@lru_cache(maxsize=100_000)
def read_address(host: str) -> Address | None:
    """Read a host as an IP address, or say that it is a name.

    Example:
        >>> read_address("10.0.0.1"), read_address("fd00::1%eth0"), read_address("a.com")
        (IPv4Address('10.0.0.1'), IPv6Address('fd00::1'), None)
    """
    # Names are many and addresses few; only what could be one is tried.
    if ":" not in host and not host[-1:].isdigit():
        return None
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def read_dashed(label: str) -> Address | None:
    """Read the address in the name of a pod.

    Example:
        >>> read_dashed("169-254-169-254"), read_dashed("fd00-ec2--254"), read_dashed("pod-0")
        (IPv4Address('169.254.169.254'), IPv6Address('fd00:ec2::254'), None)
    """
    if not _DASHED.fullmatch(label):
        return None
    return read_address(label.replace("-", ".")) or read_address(label.replace("-", ":"))


def is_numeric(host: str) -> bool:
    """Tell whether some would read a host as an IPv4 address though it is not written as one.

    Example:
        >>> [is_numeric(host) for host in ("127.1", "2130706433", "0x7f.0.0.1", "127.0.0.1", "a.com")]
        [True, True, True, False, False]
    """
    return _NUMBERS.fullmatch(host) is not None and read_address(host) is None


@lru_cache(maxsize=100_000)
def list_meanings(address: Address) -> tuple[Address, ...]:
    """List the addresses that packets to an address may reach: itself, and an IPv4 address that it holds.

    Example:
        >>> [str(each) for each in list_meanings(IPv6Address("64:ff9b::7f00:1"))]
        ['64:ff9b::7f00:1', '127.0.0.1']
    """
    if isinstance(address, IPv4Address) or int(address) <= 1:
        return (address,)
    held = [address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in _EMBEDDING):
        held.append(IPv4Address(int(address) & _LAST_32_BITS))
    return (address, *(each for each in held if each is not None))


def is_loopback(address: Address) -> bool:
    """Tell whether an address is the machine's own, in any of its meanings."""
    return any(each.is_loopback for each in list_meanings(address))


@lru_cache(maxsize=100_000)
def find_refusal(address: Address) -> str:
    """Say what an address is that nobody's mapping may reach; "" when it is none of these.

    Example:
        >>> find_refusal(ip_address("224.0.0.1")), find_refusal(ip_address("10.0.0.1"))
        ('multicast', '')
    """
    return next(
        (
            reason
            for each in list_meanings(address)
            for network, reason in _REFUSED
            if each.version == network.version and each in network
        ),
        "",
    )
