#!/usr/bin/env python3
"""Writes golden.json beside itself: what scipy, statsmodels, scikit-learn and plain numpy say.

Needs numpy, pandas, scipy, statsmodels, scikit-learn. The inputs are in the file, so that the C++ test draws
nothing itself.
"""
import json
import pathlib

import numpy as np
import pandas as pd
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


def classes(random):
    """Three classes and two, with ties, by scikit-learn."""
    out = []
    for k in (3, 2):
        n = 160
        actual = random.integers(0, k, n)
        score = random.standard_normal((n, k))
        score[np.arange(n), actual] += 0.8
        p = np.exp(score)
        p = np.round(p / p.sum(axis=1, keepdims=True), 2)
        p[:, -1] = 1 - p[:, :-1].sum(axis=1)
        p = np.clip(p, 0, 1)
        naive = np.full(k, 1 / k) if k == 3 else np.array([0.4, 0.6])
        onehot = np.eye(k)[actual]
        chosen = p.argmax(axis=1)
        brier = (p[:, 1] - onehot[:, 1]) ** 2 if k == 2 else ((p - onehot) ** 2).sum(axis=1)
        # scikit-learn divides rows by their sum, which is 1 up to rounding.
        entry = {
            "probability": p.T.tolist(),
            "actual": actual.tolist(),
            "naive": naive.tolist(),
            "log_loss": sklearn.metrics.log_loss(actual, p, labels=range(k)),
            "naive_log_loss": sklearn.metrics.log_loss(
                actual, np.tile(naive, (n, 1)), labels=range(k)
            ),
            "brier": brier.mean(),
            "accuracy": sklearn.metrics.accuracy_score(actual, chosen),
            "average_precision": [
                sklearn.metrics.average_precision_score(onehot[:, c], p[:, c]) for c in range(k)
            ],
            "auc": [sklearn.metrics.roc_auc_score(onehot[:, c], p[:, c]) for c in range(k)],
            "frequency": onehot.mean(axis=0).tolist(),
            "precision": sklearn.metrics.precision_score(actual, chosen, average=None).tolist(),
            "recall": sklearn.metrics.recall_score(actual, chosen, average=None).tolist(),
            "confusion": sklearn.metrics.confusion_matrix(actual, chosen).tolist(),
        }
        if k == 2:
            entry["brier"] = sklearn.metrics.brier_score_loss(actual, p[:, 1])
        entry["reliability"] = []
        for c in range(k):
            bins = np.minimum((p[:, c] * 10).astype(int), 9)
            rows = [np.flatnonzero(bins == b) for b in range(10)]
            entry["reliability"].append(
                [[len(r), p[r, c].mean() if len(r) else None, onehot[r, c].mean() if len(r) else None]
                 for r in rows]
            )
        out.append(entry)
    return out


def quantiles(random):
    n = 150
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    actual = random.standard_normal(n) * 0.02
    q = np.array([0.3 * actual + 0.015 * scipy.stats.norm.ppf(t) for t in levels])
    naive = np.quantile(0.02 * random.standard_normal(500), levels)
    edges = [0.0] + [(a + b) / 2 for a, b in zip(levels, levels[1:])] + [1.0]
    out = {"levels": levels, "actual": actual.tolist(), "model": q.tolist(), "naive": naive.tolist()}
    for name, side in (("model_result", q), ("naive_result", np.tile(naive[:, None], (1, n)))):
        pinball = [sklearn.metrics.mean_pinball_loss(actual, side[k], alpha=t)
                   for k, t in enumerate(levels)]
        inside = [((side[k] <= actual) & (actual <= side[-1 - k])).mean() for k in (0, 1)]
        score = [
            np.mean(side[-1 - k] - side[k] + 2 / (2 * levels[k])
                    * (np.maximum(side[k] - actual, 0) + np.maximum(actual - side[-1 - k], 0)))
            for k in (0, 1)
        ]
        cells = (side < actual).sum(axis=0)
        out[name] = {
            "pinball": pinball,
            "crps": 2 * sum((b - a) * loss for a, b, loss in zip(edges, edges[1:], pinball)),
            "coverage": inside,
            "width": [np.mean(side[-1 - k] - side[k]) for k in (0, 1)],
            "interval_score": score,
            "pit": [(cells == c).mean() for c in range(len(levels) + 1)],
        }
    return out


def cross_section(random):
    """A panel by pandas, which knows nothing of our code."""
    times, symbols = 60, 12
    rows = []
    signal = random.standard_normal((times, symbols))
    for t in range(1, times):
        signal[t] = 0.8 * signal[t - 1] + 0.6 * signal[t]
    for t in range(times):
        for s in range(symbols):
            if random.random() < 0.1:
                continue
            forecast = round(signal[t, s], 1)
            rows.append((t, f"S{s:02}", forecast, 0.01 * (0.1 * forecast + random.standard_normal())))
    frame = pd.DataFrame(rows, columns=["time", "symbol", "forecast", "actual"])
    groups = frame.groupby("time")
    ic = np.array([scipy.stats.pearsonr(g.forecast, g.actual)[0] for _, g in groups])
    rank = np.array([scipy.stats.spearmanr(g.forecast, g.actual)[0] for _, g in groups])
    buckets, tops, turnover, top_turnover, before = [], [], [], [], None
    for _, g in groups:
        order = g.sort_values(["forecast", "symbol"])
        place = np.arange(len(order)) * 4 // len(order)
        buckets.append([order.actual[place == b].mean() for b in range(4)])
        top = set(order.symbol[place == 3])
        if before is not None:
            both = before[0].merge(g, on="symbol")
            turnover.append(1 - scipy.stats.spearmanr(both.forecast_x, both.forecast_y)[0])
            top_turnover.append(len(top - before[1]) / len(top))
        before = (g, top)
    buckets = np.array(buckets)

    def mean(x, lag):
        ols = sm.OLS(x, np.ones(len(x))).fit(
            cov_type="HAC", cov_kwds={"maxlags": lag, "use_correction": False}
        )
        return {"mean": x.mean(), "error": ols.bse[0], "t": ols.tvalues[0], "p_value": ols.pvalues[0],
                "deviation": x.std(ddof=1)}

    return {
        "time": frame.time.tolist(),
        "symbol": frame.symbol.tolist(),
        "forecast": frame.forecast.tolist(),
        "actual": frame.actual.tolist(),
        "ic": mean(ic, 4),
        "rank_ic": mean(rank, 4),
        "spread": mean(buckets[:, 3] - buckets[:, 0], 4),
        "buckets": buckets.mean(axis=0).tolist(),
        "ranking_turnover": np.mean(turnover),
        "top_turnover": np.mean(top_turnover),
    }


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

    golden["classes"] = classes(random)
    golden["quantile_sample"] = quantiles(random)
    golden["cross_section"] = cross_section(random)

    path = pathlib.Path(__file__).with_name("golden.json")
    path.write_text(json.dumps(golden, indent=None, separators=(",", ":")) + "\n")


main()
