#!/usr/bin/env python3
"""Writes golden.json beside itself: what scipy, statsmodels, scikit-learn and plain numpy say.

Needs numpy, scipy, statsmodels, scikit-learn. The inputs are in the file, so that the C++ test draws
nothing itself.
"""
import json
import pathlib

import numpy as np
import scipy.special
import scipy.stats
import sklearn.metrics
import statsmodels.api as sm
import statsmodels.tsa.stattools as tsa


def block_length(x):
    """Politis and White 2004 with the correction of Patton, Politis and White 2009, from the papers."""
    n = len(x)
    run = max(5, int(np.ceil(np.sqrt(np.log10(n)))))
    top = min(int(np.ceil(np.sqrt(n))) + run, n - 1)
    gamma = tsa.acovf(x, adjusted=False, demean=True, fft=False)[: top + 1]
    small = np.abs(gamma / gamma[0])[1:] < 2 * np.sqrt(np.log10(n) / n)
    m = None
    for first in range(0, top - run + 1):
        if small[first : first + run].all():
            m = max(first, 1)
            break
    if m is None:
        m = 1 + np.max(np.nonzero(~small)[0]) if (~small).any() else 1
    bandwidth = min(2 * m, top)
    k = np.arange(-bandwidth, bandwidth + 1)
    t = np.abs(k / bandwidth)
    window = np.where(t <= 0.5, 1.0, 2 * (1 - t))
    g = np.sum(window * np.abs(k) * gamma[np.abs(k)])
    spectrum = np.sum(window * gamma[np.abs(k)])
    length = (2 * g**2 / (2 * spectrum**2)) ** (1 / 3) * n ** (1 / 3)
    return float(np.clip(length, 1, np.ceil(min(3 * np.sqrt(n), n / 3))))


def diebold_mariano(a, b, h):
    """With the correction of Harvey, Leybourne and Newbold, rectangular kernel."""
    d = np.asarray(a) - np.asarray(b)
    n = len(d)
    gamma = tsa.acovf(d, adjusted=False, demean=True, fft=False)
    variance = gamma[0] + 2 * gamma[1:h].sum()
    statistic = d.mean() / np.sqrt(variance / n)
    statistic *= np.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
    return {"statistic": statistic, "p_value": 2 * scipy.stats.t.cdf(-abs(statistic), n - 1)}


def metrics(forecast, actual, naive, price, return_scale, price_scale):
    out = {"return": {}, "price": {}}
    for side, f in (("model", forecast), ("naive", naive)):
        moved = actual != 0
        hits = np.where(f[moved] == 0, 0.5, np.sign(f[moved]) == np.sign(actual[moved]))
        varies = np.ptp(f) > 0
        out["return"][side] = {
            "mae": sklearn.metrics.mean_absolute_error(actual, f),
            "rmse": np.sqrt(sklearn.metrics.mean_squared_error(actual, f)),
            "mase": sklearn.metrics.mean_absolute_error(actual, f) / return_scale,
            "r2": 1 - np.sum((actual - f) ** 2) / np.sum((actual - naive) ** 2),
            "direction": hits.mean(),
            "ic": scipy.stats.pearsonr(f, actual)[0] if varies else None,
            "rank_ic": scipy.stats.spearmanr(f, actual)[0] if varies else None,
        }
        pf, pa, pn = price * (1 + f), price * (1 + actual), price * (1 + naive)
        out["price"][side] = {
            "mae": sklearn.metrics.mean_absolute_error(pa, pf),
            "rmse": np.sqrt(sklearn.metrics.mean_squared_error(pa, pf)),
            "mape": sklearn.metrics.mean_absolute_percentage_error(pa, pf),
            "smape": np.mean(2 * np.abs(pa - pf) / (np.abs(pa) + np.abs(pf))),
            "mase": sklearn.metrics.mean_absolute_error(pa, pf) / price_scale,
            "r2": 1 - np.sum((pa - pf) ** 2) / np.sum((pa - pn) ** 2),
        }
    return out


def main():
    random = np.random.default_rng(20240607)
    golden = {}
    x = np.concatenate([np.linspace(-9, 9, 37), [-37.0, -20.5, 1e-9, 25.0]])
    golden["normal_cdf"] = [[v, scipy.stats.norm.cdf(v)] for v in x]
    p = np.concatenate([np.linspace(0.001, 0.999, 29), [1e-300, 1e-20, 1e-9, 0.02425, 1 - 1e-9]])
    golden["normal_quantile"] = [[v, scipy.stats.norm.ppf(v)] for v in p]
    golden["student_cdf"] = [
        [t, v, scipy.stats.t.cdf(t, v)]
        for t in (-40.0, -8.0, -2.5, -1.0, -0.1, 0.0, 0.3, 1.96, 3.3, 12.0)
        for v in (1.0, 2.0, 4.5, 10.0, 99.0, 2500.0, 87000.0)
    ]
    golden["beta"] = [
        [a, b, v, scipy.special.betainc(a, b, v)]
        for a in (0.5, 1.0, 3.0, 40.0)
        for b in (0.5, 2.0, 17.5)
        for v in (1e-6, 0.1, 0.5, 0.93)
    ]

    series = scipy.stats.t.rvs(4, size=400, random_state=random) * 0.01
    for i in range(1, len(series)):
        series[i] += 0.3 * series[i - 1]
    ols = sm.OLS(series, np.ones(len(series))).fit(
        cov_type="HAC", cov_kwds={"maxlags": 6, "use_correction": False}
    )
    golden["series"] = series.tolist()
    golden["moments"] = {
        "mean": series.mean(),
        "variance": series.var(ddof=1),
        "skewness": scipy.stats.skew(series),
        "kurtosis": scipy.stats.kurtosis(series, fisher=False),
    }
    golden["autocovariance"] = tsa.acovf(series, adjusted=False, fft=False)[:6].tolist()
    # The HAC covariance of the mean, times n, is the long-run variance.
    golden["newey_west_6"] = float(ols.cov_params()[0, 0] * len(series))
    ties = np.round(series, 2)
    other = np.round(0.4 * series + 0.01 * random.standard_normal(len(series)), 2)
    golden["ties"] = {
        "a": ties.tolist(),
        "b": other.tolist(),
        "ranks_a": scipy.stats.rankdata(ties).tolist(),
        "pearson": scipy.stats.pearsonr(ties, other)[0],
        "spearman": scipy.stats.spearmanr(ties, other)[0],
    }
    golden["quantiles"] = [[q, np.quantile(series, q)] for q in (0, 0.025, 0.31, 0.5, 0.975, 1)]

    golden["block_length"] = []
    for rho, n in ((0.0, 250), (0.3, 250), (0.7, 1000), (0.95, 500), (-0.5, 300), (0.999, 120)):
        y = random.standard_normal(n)
        for i in range(1, n):
            y[i] += rho * y[i - 1]
        golden["block_length"].append({"values": y.tolist(), "length": block_length(y)})

    n = 240
    actual = random.standard_normal(n) * 0.02
    actual[[5, 77]] = 0
    forecast = 0.2 * actual + 0.004 * random.standard_normal(n)
    forecast[[9, 100]] = 0
    price = 100 * np.exp(np.cumsum(0.01 * random.standard_normal(n)))
    golden["sample"] = {
        "forecast": forecast.tolist(),
        "actual": actual.tolist(),
        "price": price.tolist(),
        "return_scale": 0.0171,
        "price_scale": 1.93,
    }
    drift = 0.001 * random.standard_normal(n)
    golden["drift"] = drift.tolist()
    golden["metrics"] = metrics(forecast, actual, np.zeros(n), price, 0.0171, 1.93)
    golden["metrics_drift"] = metrics(forecast, actual, drift, price, 0.0171, 1.93)
    losses = [(actual - forecast) ** 2, actual**2]
    golden["diebold_mariano"] = [dict(horizon=h, **diebold_mariano(*losses, h)) for h in (1, 3, 12)]

    path = pathlib.Path(__file__).with_name("golden.json")
    path.write_text(json.dumps(golden, indent=None, separators=(",", ":")) + "\n")


main()
