"""A service of BentoML's: a factor, from the variable FACTOR, for the sum of each row."""

import os

import bentoml  # it has an environment of its own


@bentoml.service(workers=1, metrics={"enabled": False})
class Factor:
    """A factor for the sum of each row."""

    def __init__(self) -> None:
        self.factor = float(os.environ["FACTOR"])

    @bentoml.api(route="/predict")  # type: ignore[untyped-decorator]
    def predict(self, rows: list[list[float]]) -> list[float]:
        """Predict."""
        return [self.factor * sum(row) for row in rows]
