"""What Prometheus' own linter (promtool check metrics) asks of names and help, asked of what is exposed."""

import re
from collections.abc import Iterable, Iterator

from prometheus_client.core import Metric

_CAMEL_CASE = re.compile(r"[a-z][A-Z]")
_TYPES_IN_NAMES = ("gauge", "counter", "summary", "histogram", "info_total")
_ABBREVIATIONS = {"s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"}
_NOT_BASE_UNITS = {
    *("milliseconds", "microseconds", "nanoseconds", "minutes", "hours", "days", "weeks"),
    *("bits", "kilobytes", "megabytes", "gigabytes", "kibibytes", "mebibytes", "percent", "percents", "fahrenheit"),
}


def lint(metrics: Iterable[Metric]) -> list[str]:
    """Say what the linter would."""
    return [f"{metric.name}: {fault}" for metric in metrics for fault in _judge(metric)]


def _judge(metric: Metric) -> Iterator[str]:
    words = metric.name.split("_")
    names = {sample.name for sample in metric.samples}
    labels = {label for sample in metric.samples for label in sample.labels}
    is_distribution = metric.type in {"histogram", "summary"}
    rules = {
        "no help text": not metric.documentation.strip(),
        "counter metrics should have a _total suffix": metric.type == "counter"
        and not all(name.endswith("_total") for name in names),
        "non-counter metrics should not have a _total suffix": metric.type != "counter"
        and metric.name.endswith("_total"),
        "only histograms and summaries should have a _bucket, _count or _sum suffix": not is_distribution
        and metric.name.endswith(("_bucket", "_count", "_sum")),
        "only histograms should have the label le": metric.type != "histogram" and "le" in labels,
        "metric name should not include its type": any(f"_{kind}" in f"_{metric.name}" for kind in _TYPES_IN_NAMES),
        "metric names should not contain ':'": ":" in metric.name,
        "names should be in snake_case": any(_CAMEL_CASE.search(name) for name in {metric.name, *labels}),
        "metric names should not contain abbreviated units": bool(_ABBREVIATIONS & set(words)),
        "use base units": bool(_NOT_BASE_UNITS & set(words)),
    }
    return (fault for fault, holds in rules.items() if holds)
