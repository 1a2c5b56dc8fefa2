"""Which of a mapping's rate limit labels are sent."""

from kfambassador.attributes.rate_limits import Label, Labels
from kfambassador.problems import Fault, Severity


def settle_labels(labels: Labels, *, domain: str, defaults: tuple[Label, ...] = ()) -> tuple[Labels, tuple[Fault, ...]]:
    """Leave the labels of the one domain that is asked about, with the gateway's own before each group's.

    A rate limit service is asked about one domain; what a mapping says of others reaches nobody.

    Args:
        labels: What the mapping says.
        domain: The domain that is asked about.
        defaults: What the gateway's owner puts before every group of it (Module ``default_labels``).

    Returns:
        The very same labels where nothing changes; and what is to be said about it.

    Example:
        >>> word = Label.model_validate("word")
        >>> written = {"ambassador": ({"g": (word,)},), "other": ()}
        >>> settled, faults = settle_labels(written, domain="ambassador", defaults=(word,))
        >>> len(settled["ambassador"][0]["g"]), faults[0].path
        (2, 'labels.other')
    """
    faults = tuple(_tell(other, domain) for other in labels if other != domain)
    if not faults and not defaults:
        return labels, ()
    groups = labels.get(domain, ())
    settled = tuple({name: (*defaults, *own) for name, own in group.items()} for group in groups)
    return ({domain: settled} if settled else {}), faults


def _tell(other: str, asked: str) -> Fault:
    message = f"labels of domain {other} are sent to nobody; the gateway asks about {asked}"
    return Fault("label-domain", message, path=f"labels.{other}", severity=Severity.NOTICE)
