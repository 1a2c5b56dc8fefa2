"""KServe's server with a model of ours: a factor for the sum of each row. ``kserve_model.py NAME PORT FACTOR``."""

import sys

import kserve  # it has an environment of its own


class Factor(kserve.Model):  # type: ignore[misc]
    """A factor for the sum of each row."""

    def __init__(self, name: str, factor: float) -> None:
        super().__init__(name)
        self.factor = factor
        self.ready = True

    def predict(self, payload: dict[str, list[list[float]]], headers: object = None) -> dict[str, list[float]]:
        """Predict."""
        return {"predictions": [self.factor * sum(row) for row in payload["instances"]]}


if __name__ == "__main__":
    model, port, factor = sys.argv[1:]
    kserve.ModelServer(http_port=int(port), enable_grpc=False, workers=1).start([Factor(model, float(factor))])
