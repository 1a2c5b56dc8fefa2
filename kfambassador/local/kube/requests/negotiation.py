"""Negotiation: in which language a caller wants the answer (RFC 9110, section 12.5.1). Pure."""

from functools import lru_cache
from typing import Final, NamedTuple

from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.requests.bodies import JSON_TYPE, PROTOBUF_TYPE, YAML_TYPE

_USUAL: Final = 200  # the longest header that is worth remembering: most clients have one
_ANYTHING: Final = frozenset({"", "*/*", "application/*"})


class _Choice(NamedTuple):
    media: str
    quality: float


def choose_language(accept: str, *, is_stream: bool = False, has_messages: bool = True) -> str:
    """Choose the language of an answer: JSON, YAML, or protobuf for who accepts nothing else.

    Args:
        accept: The request's ``Accept`` header; "" accepts anything.
        is_stream: Whether the answer is a stream of events, which is not written in YAML.
        has_messages: Whether the answer can be written in protobuf.

    Raises:
        StatusError: When the caller accepts none of them.

    Example:
        >>> choose_language("application/vnd.kubernetes.protobuf, */*;q=0.1")
        'application/json'
        >>> choose_language("application/json;q=0.5, application/yaml")
        'application/yaml'
        >>> choose_language("application/vnd.kubernetes.protobuf")
        'application/vnd.kubernetes.protobuf'
    """
    offered = (JSON_TYPE,) if is_stream else (JSON_TYPE, YAML_TYPE)
    choices = _read_choices(accept) if len(accept) <= _USUAL else _sort_choices(accept)
    for choice in choices:
        if choice.quality > 0 and choice.media in _ANYTHING:
            return JSON_TYPE
        if choice.quality > 0 and choice.media in offered:
            return choice.media
    # Objects are kept in JSON, so that is written at once.
    if has_messages and any(choice.quality > 0 and choice.media == PROTOBUF_TYPE for choice in choices):
        return PROTOBUF_TYPE
    raise status.not_acceptable((*offered, PROTOBUF_TYPE) if has_messages else offered)


@lru_cache(maxsize=256)
def _read_choices(accept: str) -> tuple[_Choice, ...]:
    return _sort_choices(accept)


def _sort_choices(accept: str) -> tuple[_Choice, ...]:
    return tuple(sorted(map(_read_choice, accept.split(",")), key=lambda choice: -choice.quality))


def _read_choice(text: str) -> _Choice:
    media, *parameters = (part.strip() for part in text.split(";"))
    quality = next((value for name, _, value in (part.partition("=") for part in parameters) if name == "q"), "1")
    try:
        return _Choice(media.lower(), float(quality))
    except ValueError:
        return _Choice(media.lower(), 1.0)
