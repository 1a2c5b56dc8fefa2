"""Bodies of errors, as Envoy reads them."""

from collections.abc import Mapping as Dict

from kfambassador.envoy.protos import (
    CustomResponse,
    HttpResponseStatusCodeMatchInput,
    LocalResponsePolicy,
    Matcher,
    SubstitutionFormatString,
    pack,
)


def build_custom_response(bodies: Dict[str, tuple[str | Dict[str, object], str]]) -> CustomResponse:
    """Build what the filter does on a route.

    Args:
        bodies: By status the body in Envoy's format, as text or as the fields of a JSON object, and its media type.

    Example:
        >>> built = build_custom_response({"503": ("Not now.", "text/plain")})
        >>> list(built.custom_response_matcher.matcher_tree.exact_match_map.map)
        ['503']
    """
    answers = {status: _answer(body, media_type) for status, (body, media_type) in bodies.items()}
    status_code = {"name": "status", "typed_config": pack(HttpResponseStatusCodeMatchInput())}
    tree = Matcher.MatcherTree(input=status_code, exact_match_map={"map": answers})
    return CustomResponse(custom_response_matcher=Matcher(matcher_tree=tree))


def build_body_format(body: str | Dict[str, object]) -> SubstitutionFormatString:
    """Build the format of a body, given as text or as the fields of a JSON object.

    Example:
        >>> build_body_format("Not now.").text_format_source.inline_string
        'Not now.'
    """
    body_format = SubstitutionFormatString()
    if isinstance(body, str):
        body_format.text_format_source.inline_string = body
    else:
        body_format.json_format.update(body)
    return body_format


def _answer(body: str | Dict[str, object], media_type: str) -> Matcher.OnMatch:
    policy = LocalResponsePolicy(body_format=build_body_format(body))
    header = policy.response_headers_to_add.add(append_action="OVERWRITE_IF_EXISTS_OR_ADD")
    header.header.key = "content-type"
    header.header.value = media_type.replace("%", "%%")
    return Matcher.OnMatch(action={"name": "answer", "typed_config": pack(policy, deterministic=True)})
