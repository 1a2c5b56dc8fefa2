"""Which pages of other origins may call the service from a browser."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from kfambassador.attributes.base import Attributes, Part, RouteDraft, split_commas

FILTER = "envoy.filters.http.cors"

# What a * in an origin stands for: a piece of a host name, several labels of it, or a port. Never a slash, a colon or
# an @, which would let the text after it be another host.
_WILDCARD = r"[A-Za-z0-9._-]+"


class OriginPattern(Part):
    """Origins told by a regular expression of the whole origin."""

    regex: Annotated[str, Field(min_length=1, description=r"Such as https://[a-z]+\.example\.com, as RE2.")]


class CorsPolicy(Part):
    """What a browser is told of calls from other origins."""

    origins: Annotated[
        tuple[str | OriginPattern, ...],
        BeforeValidator(split_commas),
        Field(
            description="Whose pages may call: https://a.com, https://*.a.com, * for all, or {regex: expression}; "
            "a list, or text with commas."
        ),
    ] = ()
    methods: Annotated[
        tuple[str, ...], BeforeValidator(split_commas), Field(description="Methods they may use; a list, or text.")
    ] = ()
    headers: Annotated[
        tuple[str, ...], BeforeValidator(split_commas), Field(description="Headers they may send; a list, or text.")
    ] = ()
    exposed_headers: Annotated[
        tuple[str, ...], BeforeValidator(split_commas), Field(description="Headers they may read; a list, or text.")
    ] = ()
    credentials: Annotated[bool, Field(description="Whether browsers send cookies and the like along.")] = False
    max_age: Annotated[
        str | int | None, Field(description="How many seconds a browser may remember what it was told.")
    ] = None


def write_origin(origin: str | OriginPattern) -> tuple[str, str]:
    r"""Write an origin as Envoy compares it: the kind of comparison, and the text.

    Browsers write origins in lower case.

    Example:
        >>> write_origin("https://A.com"), write_origin("https://*.a.com")
        (('exact', 'https://a.com'), ('regex', 'https://[A-Za-z0-9._-]+\\.a\\.com'))
    """
    if isinstance(origin, OriginPattern):
        return "regex", origin.regex
    text = origin.lower()
    if text == "*" or "*" not in text:
        return "exact", text
    # Written by hand: re.escape escapes what RE2 need not see escaped, such as a slash's neighbour.
    return "regex", _WILDCARD.join(re.sub(r"([.+?()\[\]{}|^$\\])", r"\\\1", part) for part in text.split("*"))


class Cors(Attributes, frozen=True):
    """Which pages of other origins may call the service from a browser (Ambassador, "Cross-origin resource sharing").

    The gateway answers the browsers' questions itself, also for a mapping of one method. Ambassador takes no wildcards
    and no expressions.
    """

    cors: Annotated[
        CorsPolicy | None,
        Field(
            description="Calls from pages of other origins: "
            "{origins, methods, headers, exposed_headers, credentials, max_age}."
        ),
    ] = None

    def on_route(self, draft: RouteDraft) -> None:
        """Tell the filter who may call."""
        if self.cors is not None:
            draft.per_filter(FILTER, **_write(self.cors))


def _write(cors: CorsPolicy) -> dict[str, object]:
    origins = [write_origin(each) for each in cors.origins]
    options: dict[str, object] = {
        "allow_origin_string_match": [
            {"safe_regex": {"regex": text}} if kind == "regex" else {"exact": text} for kind, text in origins
        ],
        "allow_methods": ", ".join(cors.methods),
        "allow_headers": ", ".join(cors.headers),
        "expose_headers": ", ".join(cors.exposed_headers),
        "max_age": "" if cors.max_age is None else str(cors.max_age).strip(),
        # A question of a browser's that is answered with no is answered here as well: a service that is to see
        # POST only must not see it.
        "forward_not_matching_preflights": {"value": False},
    }
    return options | ({"allow_credentials": {"value": True}} if cors.credentials else {})
