"""Give a new version of a model more and more of its requests, as long as it does well; take it back when it does not.

``python canary.py SERVICE`` runs it on this machine; ``kfp dsl compile`` prepares it for a cluster.
"""

import sys

from kfp import dsl, local

from kfambassador.pipelines import list_routes, rollback_route, shift_traffic, test_route


@dsl.pipeline(name="canary")
def canary(name: str, service: str, steps: list = [20, 100], every: str = "60s", min_requests: int = 20):
    """Shift the traffic, and look at what is served then. However it ends, no canary is left behind."""
    with dsl.ExitHandler(rollback_route(name=name)):
        shifted = shift_traffic(
            name=name,
            service=service,
            steps=steps,
            every=every,
            error_rate=0.01,
            p99_ms=1000.0,
            min_requests=min_requests,
        )
        tested = test_route(name=name, inputs=[1.0]).after(shifted)
        list_routes(name=name).after(tested)


if __name__ == "__main__":
    local.init(local.SubprocessRunner(use_venv=False))
    # Nobody wants to wait for minutes here, and in seconds few requests come.
    canary(name="line", service=sys.argv[1], every="2s", min_requests=1)
