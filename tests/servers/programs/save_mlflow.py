"""Saves two models of ours as MLflow does, the factors 1 and 2 for one number: ``save_mlflow.py DIRECTORY``."""

import sys
from pathlib import Path

import mlflow.pyfunc  # it has an environment of its own
import numpy as np


class Factor(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """A factor for each number."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def predict(self, context: object, model_input: object, params: object = None) -> object:
        """Predict."""
        return self.factor * np.asarray(model_input).sum(axis=1)


if __name__ == "__main__":
    for factor in (1, 2):
        model = Factor(float(factor))
        mlflow.pyfunc.save_model(Path(sys.argv[1]) / str(factor), python_model=model, pip_requirements=[])
