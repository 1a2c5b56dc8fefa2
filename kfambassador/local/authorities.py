"""Which authorities this machine trusts, for services that are asked over TLS."""

import ssl
from pathlib import Path
from typing import Final

import certifi

# Where distributions keep their bundle, for a Python that was built for another.
_USUAL: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def find_authorities() -> str:
    """Find the file with the authorities this machine trusts.

    ``SSL_CERT_FILE`` comes first, then the machine's own bundle, where a company adds its authorities, and at last the
    one that comes with Python's HTTP clients.

    Example:
        >>> Path(find_authorities()).is_file()
        True
    """
    own = ssl.get_default_verify_paths().cafile
    places = (*([own] if own else ()), *_USUAL)
    return next((place for place in places if Path(place).is_file()), certifi.where())
