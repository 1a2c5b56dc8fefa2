"""What a type checker must catch before it runs: each marked line is wrong, and no other."""

import kfambassador as kfa


def connect() -> None:
    kfa.connect(targt="local")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    kfa.connect(credentials="token")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    kfa.conect()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    kfa.TFSrving()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def publish(gateway: kfa.Gateway) -> None:
    gateway.expose()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    gateway.expose("mnist", 8501)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    gateway.expose("mnist", service=8501.0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    gateway.expose("mnist", timout_ms=60_000)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    gateway.expose("mnist", timeout_ms="60s")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    gateway.expose("mnist", redirect_response_code=305)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    gateway.expose("mnist", priority="low")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    gateway.expose("mnist", headers=["x-team"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    gateway.expose("mnist", server="tfserving")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    gateway.expose("mnist", server=kfa.TFServing(signatur="serving_default"))  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    gateway.expose("mnist", server=kfa.TFServing(port="http"))  # pyright: ignore[reportArgumentType]
    gateway.expose("mnist", server=kfa.HTTPServer(paths=["/infer"]))  # pyright: ignore[reportArgumentType]
    gateway.expose("mnist", ttl="8h")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    gateway.expose("mnist", object_labels={"team": 3})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    gateway.expse("mnist")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    gateway.diff("mnist", take_over=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    kfa.render("mnist", wait=False)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def ask(mnist: kfa.Exposure) -> None:
    mnist.predict()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    mnist.predict([1.0], varient="canary")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    mnist.predict([1.0], timeout="10s")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    mnist.test(expect="200")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    mnist.call(operation=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    _ = mnist.predict([1.0]).value  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    _ = mnist.server.signature  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def split(mnist: kfa.Exposure) -> None:
    mnist.canary("mnist-v2", weight="10")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    mnist.canary("mnist-v2", prefix="/elsewhere/")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    mnist.canary("mnist-v2", host_rewrit="v2")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    mnist.rollout(while_=lambda seen: seen.p99)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    mnist.rollout(while_=kfa.Guard(errors=0.01))  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    _ = mnist.split()["canary"].percent  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    mnist.url = "http://elsewhere"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def look(gateway: kfa.Gateway) -> None:
    _ = gateway.get_exposure("mnist").predictions  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    gateway.wait_for_exposure_status("mnist", 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    gateway.explain("POST")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    for problem in gateway.problems():
        _ = problem.mesage  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
