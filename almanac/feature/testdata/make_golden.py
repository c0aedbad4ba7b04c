#!/usr/bin/env python3
"""Writes bars.csv and golden.csv: a seeded random walk and its features by pandas and numpy.

Run in this folder: ./make_golden.py (pandas 1.5 or newer).
"""
import numpy as np
import pandas as pd

rng = np.random.default_rng(7)
n = 240
close = 30000 * np.exp(np.cumsum(0.004 * rng.standard_t(4, n)))
open_ = np.concatenate([[30000.0], close[:-1]]) * np.exp(0.0005 * rng.standard_normal(n))
high = np.maximum(open_, close) * (1 + 0.003 * rng.random(n))
low = np.minimum(open_, close) * (1 - 0.003 * rng.random(n))
volume = np.round(500 * rng.exponential(size=n), 3)
bars = pd.DataFrame({"open": open_, "high": high, "low": low, "close": close}).round(2)
bars["volume"] = volume
bars.to_csv("bars.csv", index=False)
bars = pd.read_csv("bars.csv")

log_return = np.log(bars.close / bars.close.shift(1))
parkinson = np.log(bars.high / bars.low) ** 2 / (4 * np.log(2))
garman_klass = 0.5 * np.log(bars.high / bars.low) ** 2 - (2 * np.log(2) - 1) * np.log(
    bars.close / bars.open
) ** 2


def ema(values, n):
    """TA-Lib's: begun with the mean of the first n."""
    result = np.full(len(values), np.nan)
    result[n - 1] = values[:n].mean()
    for i in range(n, len(values)):
        result[i] = result[i - 1] + 2 / (n + 1) * (values[i] - result[i - 1])
    return result


def rolling(values, w, function):
    """Every window by itself: pandas' own rolling std is a running one that drifts (2e-9 here)."""
    return values.rolling(w).apply(function, raw=True)


def deviation(values):
    return np.std(values, ddof=1)


golden = pd.DataFrame()
for w in (1, 7):
    golden[f"simple_return_{w}"] = bars.close.pct_change(w)
    golden[f"log_return_{w}"] = np.log(bars.close / bars.close.shift(w))
for w in (2, 20):
    golden[f"momentum_zscore_{w}"] = (
        rolling(log_return, w, np.mean) / rolling(log_return, w, deviation) * np.sqrt(w)
    )
    golden[f"volume_zscore_{w}"] = (
        bars.volume - rolling(bars.volume, w, np.mean)
    ) / rolling(bars.volume, w, deviation)
for w in (1, 24):
    golden[f"realised_volatility_{w}"] = np.sqrt((log_return**2).rolling(w).mean())
    golden[f"parkinson_volatility_{w}"] = np.sqrt(parkinson.rolling(w).mean())
    golden[f"garman_klass_volatility_{w}"] = np.sqrt(garman_klass.rolling(w).mean())
    bottom, top = bars.low.rolling(w).min(), bars.high.rolling(w).max()
    golden[f"range_position_{w}"] = (bars.close - bottom) / (top - bottom)
    golden[f"ema_distance_{w}"] = bars.close / ema(bars.close.to_numpy(), w) - 1
    golden[f"volume_ratio_{w}"] = bars.volume / bars.volume.rolling(w).mean()
golden.to_csv("golden.csv", index=False, na_rep="nan", float_format="%.15g")
