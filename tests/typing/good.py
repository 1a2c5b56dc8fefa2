# pyright: strict
"""What an editor completes and a type checker passes: every line of it is right."""

from datetime import timedelta
from typing import assert_type

import kfambassador as kfa


def connect_every_way() -> kfa.Gateway:
    kfa.connect()
    kfa.connect("local", quiet=True)
    kfa.connect(kfa.Kubeconfig("team"), url="http://gateway.example", credentials=kfa.BearerToken("token"))
    return kfa.connect(kfa.InCluster(), credentials=kfa.TokenFile("/var/run/token"))


def publish(gateway: kfa.Gateway) -> kfa.Exposure:
    gateway.expose("mnist", service=8501, timeout_ms=60_000, ttl=timedelta(hours=8))
    gateway.expose("mnist", server=kfa.TFServing(signature="serving_default", grpc_port=8500))
    gateway.expose("mnist", server=kfa.KServeV2(port=8080), host="models.example", headers={"x-team": "vision"})
    gateway.expose("old", server=kfa.HTTPServer(), host_redirect=True, redirect_response_code=302)
    gateway.expose("llm", server=kfa.OpenAI(model="llama"), priority="high", object_labels={"team": "nlp"})
    with gateway.expose("mnist", wait=False, ttl=3600) as mnist:
        return mnist


def ask(mnist: kfa.Exposure) -> None:
    prediction = mnist.predict([[0.1]], variant="canary", headers={"x-team": "vision"}, timeout=10, retries=2)
    assert_type(prediction, kfa.Prediction)
    assert_type(prediction.latency_ms, float)
    assert_type(mnist.curl(), str)
    assert_type(bool(mnist.test(path="metadata", expect=404)), bool)
    assert_type(mnist.chat("Hello", temperature=0.2), str)
    for piece in mnist.chat_stream("Hello"):
        assert_type(piece, str)
    with mnist.stream("chat", {"stream": True}) as answer:
        assert_type([event.data for event in answer.events()], list[str])


def split(mnist: kfa.Exposure) -> None:
    shares = mnist.canary("mnist-v2:8501", 10, host_rewrite="v2")
    assert_type(shares["canary"], int)
    mnist.canary(weight=50)
    mnist.shadow("mnist-v3:8501", percent=20)
    mnist.shadow(None)
    done = mnist.rollout([5, 100], every=60, while_=kfa.Guard(error_rate=0.01, p99_ms=200))
    mnist.rollout(while_=lambda seen: seen.p99_ms is None or seen.p99_ms < 200)
    assert_type(done, kfa.Rollout)
    assert_type(mnist.statistics().total.p99_ms, float | None)
    mnist.promote()
    mnist.rollback()


def look(gateway: kfa.Gateway) -> None:
    told: list[str] = []
    assert_type(gateway.get_exposure("mnist", namespace="team"), kfa.Exposure)
    assert_type(gateway.list_exposures(namespace="*"), list[kfa.Exposure])
    gateway.wait_for_exposure_status(
        "mnist", kfa.Phase.ANSWERING, callbacks=[lambda status: told.append(status.message)]
    )
    assert_type(gateway.explain("POST", "/models/mnist:predict", {"x-team": "vision"}).mappings, tuple[str, ...])
    assert_type(gateway.diff("mnist", service=8501, timeout_ms=1000).yaml, str)
    assert_type(gateway.leftovers().delete(), int)
    assert_type([problem.message for problem in gateway.problems()], list[str])


def write() -> None:
    assert_type(str(kfa.render("mnist", service="mnist:8501", namespace="team", cluster_tag="a")), str)
    kfa.Mapping(name="mnist", prefix="/models/mnist/", service="mnist:8501")
