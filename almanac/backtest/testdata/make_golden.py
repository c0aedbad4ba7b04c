#!/usr/bin/env python3
"""Writes golden.json beside itself: Sharpe statistics and drawdowns by numpy, scipy, statsmodels, pandas.

Needs numpy, pandas, scipy, statsmodels. The returns are in the file.
"""
import json
import pathlib

import numpy as np
import pandas as pd
import scipy.stats
import statsmodels.stats.sandwich_covariance as sandwich
from scipy.stats import norm

PERIODS = 8760.0


def gmm_error(r, lag):
    """Lo 2002: delta method on the HAC covariance matrix of the two moment conditions."""
    mean, variance = r.mean(), r.var()
    moments = np.column_stack([r - mean, (r - mean) ** 2 - variance])
    covariance = sandwich.S_hac_simple(moments, nlags=lag) / len(r)
    gradient = np.array([1 / np.sqrt(variance), -mean / (2 * variance**1.5)])
    return float(np.sqrt(gradient @ covariance @ gradient / len(r)))


def sharpe(r):
    n = len(r)
    sr = r.mean() / r.std(ddof=1)
    skew = scipy.stats.skew(r)
    kurt = scipy.stats.kurtosis(r, fisher=False)
    lag = int(np.floor(4 * (n / 100) ** (2 / 9)))
    robust = gmm_error(r, lag)
    mertens = np.sqrt((1 - skew * sr + (kurt - 1) / 4 * sr**2) / n)
    return {
        "returns": r.tolist(),
        "ratio": sr,
        "annual": sr * np.sqrt(PERIODS),
        "skewness": skew,
        "kurtosis": kurt,
        "error_normal": np.sqrt((1 + sr**2 / 2) / n),
        "error_mertens": mertens,
        "lag": lag,
        "error_robust": robust,
        "p_value": norm.sf(sr / robust),
        "probabilistic": norm.cdf(sr / (mertens * np.sqrt(n / (n - 1)))),
        "sortino": r.mean() / np.sqrt(np.mean(np.minimum(r, 0) ** 2)) * np.sqrt(PERIODS),
    }


def main():
    random = np.random.default_rng(7)
    golden = {"periods_per_year": PERIODS, "sharpe": []}
    for shift, rho in ((0.002, 0.0), (0.0005, 0.4), (-0.001, -0.2)):
        r = scipy.stats.t.rvs(4, size=300, random_state=random) * 0.01 + shift
        for i in range(1, len(r)):
            r[i] += rho * r[i - 1]
        golden["sharpe"].append(sharpe(r))

    equity = pd.Series(1000 * np.cumprod(1 + golden_returns(random)))
    peak = equity.cummax().clip(lower=1000)
    below = equity < peak
    run = below.groupby((~below).cumsum()).cumsum()
    golden["drawdown"] = {
        "capital": 1000.0,
        "equity": equity.tolist(),
        "depth": float((1 - equity / peak).max()),
        "trough_bar": int((1 - equity / peak).idxmax()),
        "longest_bars": int(run.max()),
        "curve": (equity / peak - 1).tolist(),
    }
    path = pathlib.Path(__file__).with_name("golden.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


def golden_returns(random):
    return random.standard_normal(250) * 0.02


main()
