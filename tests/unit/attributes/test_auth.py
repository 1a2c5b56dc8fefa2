"""What the authorization service is asked."""

from kfambassador.attributes.auth import FILTER
from kfambassador.envoy.protos import ExtAuthzPerRoute
from tests.unit.attributes.messages import route_of


def options_of(**attributes: object) -> ExtAuthzPerRoute | None:
    message = route_of(**attributes)
    if FILTER not in message.typed_per_filter_config:
        return None
    options = ExtAuthzPerRoute()
    assert message.typed_per_filter_config[FILTER].Unpack(options)
    return options


def test_it_is_asked_as_it_is_unless_somebody_says_otherwise() -> None:
    assert options_of() is None


def test_it_is_told_the_mappings_words() -> None:
    options = options_of(auth_context_extensions={"b": "2", "a": "1"})
    assert options is not None
    assert dict(options.check_settings.context_extensions) == {"a": "1", "b": "2"}


def test_it_is_not_asked_and_told_nothing() -> None:
    options = options_of(bypass_auth=True, auth_context_extensions={"a": "1"})
    assert options == ExtAuthzPerRoute(disabled=True)


def test_a_redirect_asks_nobody() -> None:
    options = options_of(host_redirect=True, service="example.com", auth_context_extensions={"a": "1"})
    assert options == ExtAuthzPerRoute(disabled=True)


def test_the_same_words_are_the_same_bytes() -> None:
    words = {str(number): "x" for number in range(20)}
    backwards = dict(reversed(words.items()))
    one, other = (route_of(auth_context_extensions=each) for each in (words, backwards))
    assert one.typed_per_filter_config[FILTER].value == other.typed_per_filter_config[FILTER].value
