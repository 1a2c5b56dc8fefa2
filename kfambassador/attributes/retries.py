"""Trying again when the service fails."""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from kfambassador.attributes.base import Attributes, Duration, Part, RouteDraft, milliseconds, split_commas

#: What Envoy can be asked to try again for (Envoy, "x-envoy-retry-on" and "x-envoy-retry-grpc-on"). Left out are two
#: that need what a mapping cannot say: a list of headers, and HTTP/3.
RETRY_ON: Final = frozenset(
    {
        "5xx",
        "gateway-error",
        "reset",
        "reset-before-request",
        "connect-failure",
        "envoy-ratelimited",
        "retriable-4xx",
        "refused-stream",
        "retriable-status-codes",
        "cancelled",
        "deadline-exceeded",
        "internal",
        "resource-exhausted",
        "unavailable",
    }
)

# What Envoy's counters hold.
_MOST = 2**32 - 1


class RetryPolicy(Part):
    """When, how often and how long each time."""

    retry_on: Annotated[
        tuple[str, ...],
        BeforeValidator(split_commas),
        Field(min_length=1, description="What to try again for, such as 5xx or connect-failure: one, or a list."),
    ]
    num_retries: Annotated[int | None, Field(ge=0, le=_MOST, description="How often; once when absent.")] = None
    per_try_timeout: Annotated[
        Duration | None,
        Field(description="How long one attempt may take, such as 250ms or 1.5s; as long as the request when absent."),
    ] = None
    retriable_status_codes: Annotated[
        tuple[Annotated[int, Field(ge=100, le=599)], ...],
        Field(strict=False, description="The statuses meant by retriable-status-codes."),
    ] = ()


class Retries(Attributes, frozen=True):
    """Trying again when the service fails (Ambassador, "Automatic retries").

    Ambassador takes one condition; a list of them is taken here, and text with commas.
    """

    retry_policy: Annotated[
        RetryPolicy | None,
        Field(description="When to ask again: {retry_on, num_retries, per_try_timeout, retriable_status_codes}."),
    ] = None

    def on_route(self, draft: RouteDraft) -> None:
        """Set the policy."""
        if self.retry_policy is None:
            return
        policy = draft.action.retry_policy
        policy.retry_on = ",".join(self.retry_policy.retry_on)
        policy.retriable_status_codes.extend(self.retry_policy.retriable_status_codes)
        if self.retry_policy.num_retries is not None:
            policy.num_retries.value = self.retry_policy.num_retries
        if self.retry_policy.per_try_timeout is not None:
            policy.per_try_timeout.FromMilliseconds(milliseconds(self.retry_policy.per_try_timeout) or 0)
