"""Train a model, publish it, prove that it answers as it was trained, and report.

``python train_and_publish.py NAME SERVICE FOLDER`` runs it here; ``kfp dsl compile`` prepares it for a cluster.
"""

import sys
from pathlib import Path

from kfp import dsl, local

from kfambassador.pipelines import publish_route, test_route
from kfambassador.pipelines.image import choose_image

# Python and kfp are in kfambassador's image: these steps need nothing else.
step = dsl.component(base_image=choose_image(), install_kfp_package=False)


@step
def train(name: str, folder: str, model: dsl.Output[dsl.Model], holdout: dsl.Output[dsl.Dataset]):
    """Fit a line to points, keep it where the model server looks, and set other points aside to test it with."""
    import json
    from pathlib import Path

    points = [(x, x / 2 + 2) for x in range(10)]
    mean_x, mean_y = (sum(values) / len(points) for values in zip(*points))
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
    line = json.dumps({"slope": slope, "intercept": mean_y - slope * mean_x})
    for place in (model.path, f"{folder}/{name}.json"):
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        Path(place).write_text(line)
    aside = [20.0, 30.0, 40.0]
    Path(holdout.path).write_text(json.dumps({"inputs": aside, "expected": [x / 2 + 2 for x in aside]}))


@step
def report(
    url: str, internal_url: str, metrics: dsl.Input[dsl.Metrics], mapping: dsl.Input[dsl.Artifact]
) -> dsl.Markdown:
    """Write for people what was published and how it did."""
    from pathlib import Path

    mappings = Path(mapping.path).read_text().count("kind: Mapping")
    failed, requests = (int(metrics.metadata[name]) for name in ("failed", "requests"))
    return f"""\
# {url}

Inside the cluster it is {internal_url}. It has {mappings} mappings.

{requests} requests were sent, and {failed} failed.
"""


@dsl.pipeline(name="train-and-publish")
def train_and_publish(name: str, service: str, folder: str) -> dsl.Markdown:
    """Train, publish, test, report."""
    trained = train(name=name, folder=folder)
    published = publish_route(name=name, service=service, attributes={"timeout_ms": 60000}).after(trained)
    tested = test_route(name=name, dataset=trained.outputs["holdout"], p95_ms=1000.0).after(published)
    return report(
        url=published.outputs["url"],
        internal_url=published.outputs["internal_url"],
        metrics=tested.outputs["metrics"],
        mapping=published.outputs["mapping"],
    ).output


if __name__ == "__main__":
    local.init(local.SubprocessRunner(use_venv=False))
    done = train_and_publish(name=sys.argv[1], service=sys.argv[2], folder=str(Path(sys.argv[3]).absolute()))
    print(Path(done.output.path).read_text())
