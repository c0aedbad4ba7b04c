#!/usr/bin/env python3
"""Writes golden.json beside itself: Sharpe statistics and drawdowns by numpy, scipy, statsmodels, pandas.

Needs numpy, pandas, scipy, statsmodels. The returns are in the file.
"""
import itertools
import json
import pathlib

import numpy as np
import pandas as pd
import statsmodels.api as sm
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
        "tail_ratio": np.quantile(r, 0.95) / -np.quantile(r, 0.05),
        "minimum_track_record": minimum_track_record(sr, skew, kurt) if sr > 0 else None,
        "annual_dependent": sr * time_aggregation(r, lag),
        "sortino": r.mean() / np.sqrt(np.mean(np.minimum(r, 0) ** 2)) * np.sqrt(PERIODS),
    }


def minimum_track_record(sr, skew, kurt):
    """Bailey and Lopez de Prado 2012, against 0 with 95 % confidence."""
    return 1 + (1 - skew * sr + (kurt - 1) / 4 * sr**2) * (norm.ppf(0.95) / sr) ** 2


def time_aggregation(r, lag):
    """Lo 2002: eta(q) with the first autocorrelations."""
    d = r - r.mean()
    rho = [(d[k:] * d[: len(d) - k]).sum() / (d * d).sum() for k in range(1, lag + 1)]
    return PERIODS / np.sqrt(PERIODS + 2 * sum((PERIODS - k - 1) * x for k, x in enumerate(rho)))


def benchmark(random):
    b = scipy.stats.t.rvs(5, size=280, random_state=random) * 0.01 + 0.0004
    e = random.standard_normal(280) * 0.008 * (1 + 20 * np.abs(b))
    for i in range(1, len(e)):
        e[i] += 0.3 * e[i - 1]
    r = 0.0003 + 0.7 * b + e
    lag = int(np.floor(4 * (len(r) / 100) ** (2 / 9)))
    fit = sm.OLS(r, sm.add_constant(b)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lag, "use_correction": False}
    )
    active = r - b
    return {
        "returns": r.tolist(),
        "benchmark": b.tolist(),
        "lag": lag,
        "alpha": fit.params[0],
        "beta": fit.params[1],
        "alpha_error": fit.bse[0],
        "beta_error": fit.bse[1],
        "alpha_p": fit.pvalues[0],
        "beta_p": fit.pvalues[1],
        "r_squared": fit.rsquared,
        "information_ratio": active.mean() / active.std(ddof=1) * np.sqrt(PERIODS),
        "tracking_error": active.std(ddof=1) * np.sqrt(PERIODS),
    }


def overfitting(random):
    """Combinatorially symmetric cross-validation, step by step as in section 2.2 of the paper."""
    t, n, s = 103, 7, 6
    m = np.round(random.standard_normal((t, n)) * 0.01 + np.linspace(0, 0.003, n), 6)
    rows = t // s
    blocks = np.split(m[t - rows * s :], s)
    inside, outside, logits = [], [], []
    for chosen in itertools.combinations(range(s), s // 2):
        j = np.concatenate([blocks[b] for b in chosen])
        rest = np.concatenate([blocks[b] for b in range(s) if b not in chosen])
        r = j.mean(axis=0) / j.std(axis=0, ddof=1)
        r_bar = rest.mean(axis=0) / rest.std(axis=0, ddof=1)
        best = r.argmax()
        omega = scipy.stats.rankdata(r_bar)[best] / (n + 1)
        logits.append(np.log(omega / (1 - omega)))
        inside.append(r[best])
        outside.append(r_bar[best])
    line = scipy.stats.linregress(inside, outside)
    return {
        "returns": m.T.tolist(),
        "blocks": s,
        "logits": logits,
        "probability": np.mean(np.array(logits) <= 0),
        "loss_probability": np.mean(np.array(outside) < 0),
        "slope": line.slope,
        "intercept": line.intercept,
        "r_squared": line.rvalue**2,
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
    golden["benchmark"] = benchmark(random)
    golden["overfitting"] = overfitting(random)
    path = pathlib.Path(__file__).with_name("golden.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


def golden_returns(random):
    return random.standard_normal(250) * 0.02


main()
