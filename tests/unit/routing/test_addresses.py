"""IP addresses however they are written, and which of them nobody's mapping may reach."""

from ipaddress import ip_address

import pytest

from kfambassador.routing.addresses import find_refusal, is_loopback, is_numeric, list_meanings, read_address


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "169.254.0.1",
        "169.254.169.254",
        "169.254.255.255",
        "fe80::1",
        "febf::1",
        "224.0.0.1",
        "239.255.255.255",
        "ff02::1",
        "255.255.255.255",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "::ffff:0:a9fe:a9fe",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::",
        "2001:0:102:304:0:0:5601:5601",
    ],
)
def test_what_nobodys_mapping_may_reach(address: str) -> None:
    assert find_refusal(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "127.0.0.1", "::1", "8.8.8.8", "100.64.0.1", "fd00::1", "2001:db8::1", "::ffff:10.0.0.1", "1.0.0.0"],
)
def test_what_may_be_somebodys_service(address: str) -> None:
    assert find_refusal(ip_address(address)) == ""


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::127.0.0.1", True),
        ("64:ff9b::7f00:1", True),
        ("2002:7f00:1::", True),
        ("128.0.0.1", False),
        ("::2", False),
    ],
)
def test_what_is_the_machines_own(address: str, expected: bool) -> None:
    assert is_loopback(ip_address(address)) is expected


def test_an_address_that_holds_none_means_itself() -> None:
    for text in ("10.0.0.1", "::1", "fd00::1"):
        assert list_meanings(ip_address(text)) == (ip_address(text),)


@pytest.mark.parametrize(
    ("host", "numeric"),
    [
        ("2130706433", True),
        ("017700000001", True),
        ("0x7f000001", True),
        ("0X7F.1", True),
        ("127.1", True),
        ("127.0.1", True),
        ("0177.0.0.1", True),
        ("0x7f.0.0.1", True),
        ("256.0.0.1", True),
        ("127.0.0.1", False),
        ("1.2.3.4.5", False),
        ("1a", False),
        ("x7f.1", False),
        ("model.1", False),
    ],
)
def test_what_is_read_as_an_address_by_some_only(host: str, numeric: bool) -> None:
    assert is_numeric(host) is numeric


@pytest.mark.parametrize("host", ["a.com", "1.com", "m1", "a:b", "", "1.2.3", "::g"])
def test_what_is_no_address(host: str) -> None:
    assert read_address(host) is None
