"""Trains on the irises, and writes two models, 1 and 2, as MLServer serves them: ``train_iris.py DIRECTORY``."""

import sys
from pathlib import Path

import joblib  # it has an environment of its own
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

if __name__ == "__main__":
    measures, species = load_iris(return_X_y=True)
    for number in (1, 2):
        # They differ in what they call the species, so that it is seen who answered.
        model = LogisticRegression(max_iter=1000).fit(measures, species + 10 * number)
        joblib.dump(model, Path(sys.argv[1]) / f"{number}.joblib")
