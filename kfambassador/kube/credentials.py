"""What a client shows the API so that it knows who asks; never printed, never part of a message."""

from kfambassador.errors import Unauthorized
from kfambassador.kube.entrances import Entrance

_BEARER = "bearer "


def read_credentials(entrance: Entrance, *, server: str) -> dict[str, str]:
    """Give the headers that say who asks, renewed when they are old; none where a certificate does.

    Args:
        entrance: The way into it.
        server: The API, for messages.

    Raises:
        Unauthorized: They could not be renewed, or are no credentials at all.
    """
    try:
        headers = {name: value.strip() for name, value in entrance.show().items()}
    except Exception as error:
        # A renewal may read files, run a plugin and log in: any error may come out of it.
        raise Unauthorized(
            f"The credentials for the Kubernetes API at {server} could not be renewed "
            f"({type(error).__name__}): log in again."
        ) from error
    # Left to the HTTP library, the error would quote the token.
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise Unauthorized(
            f"The token for the Kubernetes API at {server} has characters that no token has: was more than "
            "the token pasted?"
        )
    return headers


def find_bearer(headers: dict[str, str]) -> str | None:
    """Give the bearer token among the headers, None when there is none.

    Example:
        >>> find_bearer({"authorization": "Bearer t"}), find_bearer({"authorization": "Basic eA=="})
        ('t', None)
    """
    value = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
    return value[len(_BEARER) :].strip() if value.lower().startswith(_BEARER) else None
