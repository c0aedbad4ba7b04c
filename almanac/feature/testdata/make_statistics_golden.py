#!/usr/bin/env python3
"""Writes statistics_golden.csv and statistics_golden_real.csv: volatility and statistics.

Each window by itself, by numpy, scipy, pandas and statsmodels where they have the function and by
the published definition elsewhere. Run in this folder after make_golden.py:
./make_statistics_golden.py (pandas 1.5, scipy 1.10, statsmodels 0.13 or newer; real bars are read
from shared/data beside the project).
"""
import itertools
import math

import numpy as np
import pandas as pd
import scipy.special
import scipy.stats
import statsmodels.api as sm

import golden_bars


def statistics(bars, wanted):
    o, h, l, c, v = (bars[k].to_numpy() for k in ("open", "high", "low", "close", "volume"))
    size = len(c)
    nan = np.nan
    before = np.concatenate([[nan], c[:-1]])
    r = np.log(c / before)

    def windows(n, function, *inputs):
        """function of the last n values of each input, at the wanted rows."""
        result = np.full(size, nan)
        for t in wanted:
            if t < n - 1 or t >= size:
                continue
            parts = [x[t - n + 1 : t + 1] for x in inputs]
            if not any(np.isnan(part).any() for part in parts):
                result[t] = function(*parts)
        return result

    def std(x):
        return np.std(x, ddof=1)

    out = {}
    for n in (2, 12, 48):
        out[f"close_close_volatility_{n}"] = windows(n, std, r)
        rs = np.log(h / o) * np.log(h / c) + np.log(l / o) * np.log(l / c)
        out[f"rogers_satchell_volatility_{n}"] = windows(n, lambda x: np.sqrt(np.mean(x)), rs)

        def yang_zhang(night, body, s):
            k = 0.34 / (1.34 + (n + 1) / (n - 1))
            return np.sqrt(np.var(night, ddof=1) + k * np.var(body, ddof=1) + (1 - k) * np.mean(s))

        out[f"yang_zhang_volatility_{n}"] = windows(n, yang_zhang, np.log(o / before), np.log(c / o), rs)
        up, down = np.where(r < 0, 0, r), np.where(r > 0, 0, r)
        out[f"upside_volatility_{n}"] = windows(n, lambda x: np.sqrt(np.mean(x**2)), up)
        out[f"downside_volatility_{n}"] = windows(n, lambda x: np.sqrt(np.mean(x**2)), down)
        out[f"downside_share_{n}"] = windows(
            n, lambda d, x: np.sum(d**2) / np.sum(x**2), down, r
        )

        def bipower(x):
            return np.pi / 2 * np.mean(np.abs(x[1:]) * np.abs(x[:-1]))

        out[f"bipower_volatility_{n}"] = windows(n, lambda x: np.sqrt(bipower(x)), r)
        out[f"jump_share_{n}"] = windows(n, lambda x: max(0, 1 - bipower(x) / np.mean(x**2)), r)
    for decay in (94, 50):
        variance = nan
        ewma = np.full(size, nan)
        for t in range(1, size):
            d = decay / 100
            variance = r[t] ** 2 if t == 1 else d * variance + (1 - d) * r[t] ** 2
            ewma[t] = np.sqrt(variance)
        out[f"ewma_volatility_{decay}"] = ewma
    for day, days in ((24, 1), (24, 5), (3, 7)):
        out[f"har_component_{day}_{days}"] = windows(
            day * days, lambda x: np.log(np.mean(np.sum(x.reshape(days, day) ** 2, axis=1))), r
        )
    realised = {n: np.sqrt(pd.Series(r**2).rolling(n).apply(np.mean, raw=True)).to_numpy() for n in (4, 6, 48)}
    out["volatility_of_volatility_6_20"] = windows(20, lambda x: std(x) / np.mean(x), realised[6])
    out["volatility_ratio_4_48"] = realised[4] / realised[48]

    for n in (5, 30):
        out[f"return_mean_{n}"] = windows(n, np.mean, r)
        out[f"return_skewness_{n}"] = windows(n, lambda x: scipy.stats.skew(x, bias=False), r)
        out[f"return_kurtosis_{n}"] = windows(n, lambda x: scipy.stats.kurtosis(x, bias=False), r)
        out[f"up_share_{n}"] = windows(n, lambda x: np.mean(x > 0), r)
        out[f"down_share_{n}"] = windows(n, lambda x: np.mean(x < 0), r)
        out[f"close_zscore_{n}"] = windows(n, lambda x: (x[-1] - np.mean(x)) / std(x), c)
        for percent in (0, 5, 50, 90, 100):
            q = percent / 100
            out[f"return_quantile_{n}_{percent}"] = windows(n, lambda x: np.quantile(x, q), r)
            out[f"close_quantile_distance_{n}_{percent}"] = windows(
                n, lambda x: x[-1] / np.quantile(x, q) - 1, c
            )
        for name, x in (("return", r), ("close", c), ("volume", v)):
            out[f"{name}_rank_{n}"] = windows(n, lambda y: scipy.stats.rankdata(y)[-1] / n, x)
            out[f"{name}_mad_zscore_{n}"] = windows(
                n,
                lambda y: (y[-1] - np.median(y)) / scipy.stats.median_abs_deviation(y, scale="normal"),
                x,
            )
        # The even window too: two middle values.
        out[f"close_mad_zscore_{n + 1}"] = windows(
            n + 1,
            lambda y: (y[-1] - np.median(y)) / scipy.stats.median_abs_deviation(y, scale="normal"),
            c,
        )
        for lag in (1, 3):
            lagged = np.concatenate([np.full(lag, nan), r[:-lag]])
            out[f"return_autocorrelation_{n}_{lag}"] = windows(
                n, lambda x, y: np.corrcoef(x, y)[0, 1], r, lagged
            )

        def fit(y):
            return sm.OLS(y, sm.add_constant(np.arange(len(y)) - (len(y) - 1) / 2)).fit()

        out[f"trend_r2_{n}"] = windows(n, lambda y: fit(y - y.mean()).rsquared, c)
        out[f"trend_t_{n}"] = windows(n, lambda y: fit(y - y.mean()).tvalues[1], c)

        def residual(y):
            result = fit(y - y.mean())
            return result.resid[-1] / np.sqrt(result.mse_resid)

        out[f"trend_residual_{n}"] = windows(n, residual, c)

        steps = np.array([1, 2, 4, 8, 16])
        moved = [np.concatenate([np.full(s, nan), np.log(c[s:] / c[:-s])]) for s in steps]

        def hurst(*parts):
            return np.polyfit(np.log(steps), [np.log(np.mean(p**2)) / 2 for p in parts], 1)[0]

        out[f"hurst_exponent_{n}"] = windows(n, hurst, *moved)

        def patterns(y, order):
            counts = dict.fromkeys(itertools.permutations(range(order)), 0)
            for i in range(len(y) - order + 1):
                counts[tuple(np.argsort(y[i : i + order], kind="stable"))] += 1
            return scipy.stats.entropy(list(counts.values())) / math.log(math.factorial(order))

        for order in (3, 4):
            out[f"permutation_entropy_{n}_{order}"] = windows(
                n + order - 1, lambda y: patterns(y, order), c
            )
        scale = np.sqrt(pd.Series(r**2).rolling(n).apply(np.mean, raw=True)).to_numpy()

        def bins(z):
            counts = np.histogram(z, [-np.inf, *np.arange(-2.5, 2.51, 0.5), np.inf])[0]
            return scipy.stats.entropy(counts) / math.log(12)

        out[f"return_entropy_{n}"] = windows(n, bins, r / scale)
    for q, n in ((2, 24), (5, 30)):

        def ratio(x):
            mu = np.mean(x)
            sums = np.array([np.sum(x[i : i + q]) for i in range(n - q + 1)])
            m = q * (n - q + 1) * (1 - q / n)
            return np.sum((sums - q * mu) ** 2) / m / (np.sum((x - mu) ** 2) / (n - 1))

        out[f"variance_ratio_{q}_{n}"] = windows(n, ratio, r)
    for percent, n in ((40, 50), (75, 11)):
        k = np.arange(n)
        weights = scipy.special.binom(percent / 100, k) * (-1.0) ** k
        out[f"fractional_difference_{percent}_{n}"] = windows(
            n, lambda y: np.dot(weights[::-1], y), np.log(c)
        )
    return out


MADE, REAL = list(range(0, 240, 9)), list(range(5, 2000, 91))
golden_bars.write(
    lambda bars: statistics(bars, MADE if len(bars) == 240 else REAL), "statistics", MADE, REAL
)
