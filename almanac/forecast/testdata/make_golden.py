#!/usr/bin/env python3
"""Writes golden.json: scikit-learn's Ridge on standardised columns, with fold errors.

Run in this folder: ./make_golden.py (scikit-learn 1.0 or newer).
"""
import json

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(5)
rows, features, training = 120, 4, 96
x = rng.standard_normal((rows, features)) * [1, 1e-3, 50, 1] + [0, 0.01, 1000, -2]
x[:, 3] = 0.9 * x[:, 0] + 0.3 * x[:, 3]  # correlated with the first
x = x.astype(np.float32).astype(np.float64)
y = 0.02 * x[:, 0] + 0.06 * rng.standard_normal(rows) + 0.003


def fit(rows_, alpha):
    scaler = StandardScaler().fit(x[rows_])
    return scaler, Ridge(alpha=alpha, solver="cholesky").fit(scaler.transform(x[rows_]), y[rows_])


golden = {
    "x": [column.tolist() for column in x.T],
    "y": y.tolist(),
    "training": training,
    "fits": [],
    "lambdas": [0.01, 10, 100, 1000],
    "folds": 3,
}
for alpha in (0.0, 0.5, 30.0):
    scaler, model = fit(np.arange(training), alpha)
    golden["fits"].append(
        {
            "lambda": alpha,
            "intercept": float(model.intercept_),
            "coefficients": model.coef_.tolist(),
            "forecasts": model.predict(scaler.transform(x[training:])).tolist(),
        }
    )
# Blocks of 24; labels end where they begin (t1 = t0), so nothing is purged.
errors = []
for alpha in golden["lambdas"]:
    squares = []
    for fold in (1, 2, 3):
        judge = np.arange(24 * fold, 24 * (fold + 1))
        scaler, model = fit(np.arange(24 * fold), alpha)
        squares.extend((y[judge] - model.predict(scaler.transform(x[judge]))) ** 2)
    errors.append(float(np.mean(squares)))
golden["fold_errors"] = errors
with open("golden.json", "w") as file:
    json.dump(golden, file)
    file.write("\n")
