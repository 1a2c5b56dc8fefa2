"""What Prometheus is told of a controller's work, and in which words."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.core import REGISTRY, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from kfambassador.controller.metrics import Metrics, Standing
from kfambassador.controller.state import Work
from kfambassador.envoy.snapshot import TypeUrl
from kfambassador.resources.meta import ResourceSet
from kfambassador.routing.policy import TenancyPolicy
from tests.builders import document, service
from tests.unit.controller.exposition import lint
from tests.unit.controller.seen import work_of

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def generation(number: int) -> Work:
    return Work(ResourceSet(generation=number))


def read(metrics: Metrics, standing: Standing | None = None) -> dict[str, Metric]:
    """What a scrape reads, by name."""
    text, _ = metrics.write(standing or Standing())
    return {metric.name: metric for metric in read_text(text.decode())}


def value(metrics: Metrics, name: str, standing: Standing | None = None, **labels: str) -> float:
    """One sample's value."""
    [found] = [
        sample.value
        for metric in read(metrics, standing).values()
        for sample in metric.samples
        if sample.name == f"kfambassador_{name}" and sample.labels == labels
    ]
    return float(found)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def metrics(watch: Watch) -> Metrics:
    return Metrics(clock=watch, wall=lambda: watch.now + 1_700_000_000)


@pytest.fixture(scope="module")
def full() -> Standing:
    """A gateway with a bit of everything."""
    work = work_of(
        service("a", "team", document("m")),
        service("b", "team", document("m", prefix="/n/")),
        service("c", "team", document("c")),
        service("d", "team", document("d", nonsense=1)),
        policy=TenancyPolicy.laptop(),
    )
    return Standing(
        work=work,
        served=1,
        connected=2,
        objects={"Service": 3, "Secret": 0},
        lost=frozenset({"Secret"}),
        refusals={TypeUrl.ROUTE_CONFIGURATION: 4},
        restarts={"Service": {"ended": 5, "expired": 1}},
        is_leader=False,
        uses_last_known_good=True,
        writes={"status": {"written": 7, "failed": 1}},
    )


def test_how_it_stands(metrics: Metrics, full: Standing) -> None:
    expected = {
        "generation": 1,
        "served_generation": 1,
        "connected_envoys": 2,
        "leader": 0,
        "last_known_good_in_use": 1,
        "routes": 3,
        "clusters": 3,
        "conflicts": 1,
        "quarantined": 0,
        "withheld_objects": 0,
    }
    assert {name: value(metrics, name, full) for name in expected} == expected
    assert value(metrics, "objects", full, kind="Service") == 3
    assert value(metrics, "watch_lost", full, kind="Secret") == 1
    assert value(metrics, "watch_lost", full, kind="Service") == 0
    assert value(metrics, "watch_restarts_total", full, kind="Service", reason="expired") == 1
    assert value(metrics, "cluster_writes_total", full, what="status", outcome="written") == 7
    assert value(metrics, "xds_nacks_total", full, type="route_configuration") == 4
    assert value(metrics, "xds_nacks_total", full, type="listener") == 0
    assert value(metrics, "problems", full, severity="error", code="duplicate-name") == 1
    assert value(metrics, "problems", full, severity="warning", code="unknown-attribute") == 1


def test_what_waits_and_for_how_long(metrics: Metrics, watch: Watch) -> None:
    assert (value(metrics, "queue_depth"), value(metrics, "queue_oldest_age_seconds")) == (0, 0)
    metrics.note_due()
    watch.now += 2
    metrics.note_due()
    assert (value(metrics, "queue_depth"), value(metrics, "queue_oldest_age_seconds")) == (2, 2)
    metrics.note_begun()
    assert (value(metrics, "queue_depth"), value(metrics, "queue_oldest_age_seconds")) == (0, 0)
    assert value(metrics, "queue_adds_total") == 2
    assert value(metrics, "queue_duration_seconds_sum") == 2
    assert value(metrics, "queue_duration_seconds_count") == 1


def test_a_table_is_made_published_and_acknowledged(metrics: Metrics, watch: Watch) -> None:
    metrics.note_compiled(Work(), generation(1), seconds=0.25)
    watch.now += 1
    metrics.note_compiled(generation(1), generation(2), seconds=0.5)
    metrics.report(generation(2), None)
    assert value(metrics, "acknowledge_duration_seconds_count") == 0
    watch.now += 3
    # An Envoy that is slow hears of the second only, and that makes up for the first.
    metrics.report(generation(2), 2)
    metrics.report(generation(2), 2)
    assert value(metrics, "compile_duration_seconds_sum") == 0.75
    assert value(metrics, "compile_duration_seconds_bucket", le="0.25") == 1
    assert value(metrics, "acknowledge_duration_seconds_count") == 2
    assert value(metrics, "acknowledge_duration_seconds_sum") == 4 + 3
    assert value(metrics, "last_compile_timestamp_seconds") == 1_700_000_101
    assert value(metrics, "last_acknowledge_timestamp_seconds") == 1_700_000_104
    metrics.note_failed(3, ValueError())
    assert value(metrics, "compile_failures_total") == 1


def test_tables_that_nobody_acknowledges_fill_no_memory(metrics: Metrics) -> None:
    for number in range(1, 3001):
        metrics.note_compiled(Work(), generation(number), seconds=0.0)
    metrics.report(generation(3000), 3000)
    assert value(metrics, "acknowledge_duration_seconds_count") == 1000


def test_what_never_happened_has_no_time(metrics: Metrics) -> None:
    assert not any("timestamp" in name for name in read(metrics) if name.startswith("kfambassador_"))


def test_a_reader_that_asks_for_openmetrics_gets_it(metrics: Metrics, full: Standing) -> None:
    text, content_type = metrics.write(full, accept=OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert text.endswith(b"# EOF\n")
    names = {metric.name for metric in read_openmetrics(text.decode())}  # type: ignore[no-untyped-call]  # its own words
    assert {"kfambassador_generation", "kfambassador_queue_adds", "process_cpu_seconds", "python_info"} <= names
    plain, content_type = metrics.write(full, accept="text/html")
    assert content_type.startswith("text/plain; version=0.0.4")
    assert b"# EOF" not in plain


def own(metrics: Metrics, standing: Standing) -> Iterator[Metric]:
    yield from (metric for name, metric in read(metrics, standing).items() if name.startswith("kfambassador_"))


def test_the_names_are_as_prometheus_wants_them(metrics: Metrics, full: Standing) -> None:
    metrics.note_compiled(Work(), generation(1), seconds=0.25)
    metrics.report(generation(1), 1)
    assert lint(own(metrics, full)) == []
    assert len(list(own(metrics, full))) > 20


@pytest.mark.parametrize(
    ("metric", "fault"),
    [
        (Metric("reloads", "", "gauge"), "no help text"),
        (Metric("reloads_total", "Help.", "gauge"), "non-counter metrics should not have a _total suffix"),
        (Metric("wait_ms", "Help.", "gauge"), "metric names should not contain abbreviated units"),
        (Metric("wait_minutes", "Help.", "gauge"), "use base units"),
        (Metric("queueDepth", "Help.", "gauge"), "names should be in snake_case"),
        (Metric("depth_gauge", "Help.", "gauge"), "metric name should not include its type"),
    ],
)
def test_the_linter_finds_what_it_looks_for(metric: Metric, fault: str) -> None:
    assert lint([metric]) == [f"{metric.name}: {fault}"]


def test_no_number_is_told_for_each_mapping(metrics: Metrics) -> None:
    def count(mappings: int) -> int:
        items = [
            service(f"m{n}", "team", document(f"m{n}"), document(f"m{n}", prefix="/again/")) for n in range(mappings)
        ]
        standing = Standing(work=work_of(*items, policy=TenancyPolicy.laptop()))
        return sum(len(metric.samples) for metric in own(metrics, standing))

    assert count(1) == count(50)


def test_nothing_is_put_where_others_measure() -> None:
    assert not any(metric.name.startswith("kfambassador") for metric in REGISTRY.collect())


def test_the_reference_tells_of_each_and_of_no_other(metrics: Metrics, full: Standing) -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "metrics.md").read_text()
    rows = re.findall(r"^\| `(kfambassador_\w+)` \| (\w+) \|([^|]*)\|", page, re.MULTILINE)
    metrics.note_compiled(Work(), generation(1), seconds=0.25)
    metrics.report(generation(1), 1)
    exposed = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name: (
            metric.type,
            {label for sample in metric.samples for label in sample.labels} - {"le"},
        )
        for metric in own(metrics, full)
    }
    assert {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows} == exposed
