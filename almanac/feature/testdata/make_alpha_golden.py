#!/usr/bin/env python3
"""Writes alpha_golden.csv and alpha_golden_real.csv: Qlib's Alpha158 with pandas and numpy.

Each window by itself and from its definition, independent of how almanac and Qlib compute it.
Run in this folder after make_golden.py: ./make_alpha_golden.py (pandas 1.5 or newer; real bars
are read from shared/data beside the project).
"""
import numpy as np
import pandas as pd

import golden_bars


def alpha158(bars):
    o, h, l, c, v = (bars[k] for k in ("open", "high", "low", "close", "volume"))
    vwap = (h + l + c) / 3
    tiny = 1e-12
    out = {}
    top, bottom = np.maximum(o, c), np.minimum(o, c)
    out["KMID"] = (c - o) / o
    out["KLEN"] = (h - l) / o
    out["KMID2"] = (c - o) / (h - l + tiny)
    out["KUP"] = (h - top) / o
    out["KUP2"] = (h - top) / (h - l + tiny)
    out["KLOW"] = (bottom - l) / o
    out["KLOW2"] = (bottom - l) / (h - l + tiny)
    out["KSFT"] = (2 * c - h - l) / o
    out["KSFT2"] = (2 * c - h - l) / (h - l + tiny)
    out["OPEN0"], out["HIGH0"], out["LOW0"], out["VWAP0"] = o / c, h / c, l / c, vwap / c

    def roll(x, d, function):
        return x.rolling(d).apply(function, raw=True)

    def line(y):
        x = np.arange(len(y))
        slope, start = np.polyfit(x - x.mean(), y - y.mean(), 1)
        return slope, y.mean() + start + slope * (x[-1] - x.mean())

    def rsquare(y):
        if np.std(y, ddof=1) <= 2e-5:
            return np.nan
        return np.corrcoef(np.arange(len(y)), y)[0, 1] ** 2

    def corr(a, b, d):
        result = np.full(len(a), np.nan)
        for t in range(d - 1, len(a)):
            x, y = a[t - d + 1 : t + 1], b[t - d + 1 : t + 1]
            if np.isfinite(x).all() and np.isfinite(y).all():
                if min(np.std(x, ddof=1), np.std(y, ddof=1)) > 2e-5:
                    result[t] = np.corrcoef(x, y)[0, 1]
        return result

    def shares(x, d):
        """Gain and loss of a window over its path, and their difference."""
        change = x - x.shift(1)
        path = roll(change.abs(), d, np.sum) + tiny
        gain = roll(change.where(change > 0, change * 0), d, np.sum)
        loss = roll((-change).where(change < 0, change * 0), d, np.sum)
        return gain / path, loss / path, (gain - loss) / path

    def std(y):
        return np.std(y, ddof=1)

    change = (c - c.shift(1))
    up = (change > 0).astype(float).where(change.notna())
    down = (change < 0).astype(float).where(change.notna())
    weighted = (c / c.shift(1) - 1).abs() * v
    for d in (5, 10, 20, 30, 60):
        high, low = roll(h, d, np.max), roll(l, d, np.min)
        imax = roll(h, d, lambda y: np.argmax(y) + 1)
        imin = roll(l, d, lambda y: np.argmin(y) + 1)
        out[f"ROC{d}"] = c.shift(d) / c
        out[f"MA{d}"] = roll(c, d, np.mean) / c
        out[f"STD{d}"] = roll(c, d, std) / c
        out[f"BETA{d}"] = roll(c, d, lambda y: line(y)[0]) / c
        out[f"RSQR{d}"] = roll(c, d, rsquare)
        out[f"RESI{d}"] = roll(c, d, lambda y: y[-1] - line(y)[1]) / c
        out[f"MAX{d}"], out[f"MIN{d}"] = high / c, low / c
        out[f"QTLU{d}"] = roll(c, d, lambda y: np.quantile(y, 0.8)) / c
        out[f"QTLD{d}"] = roll(c, d, lambda y: np.quantile(y, 0.2)) / c
        out[f"RANK{d}"] = c.rolling(d).rank(pct=True)
        out[f"RSV{d}"] = (c - low) / (high - low + tiny)
        out[f"IMAX{d}"], out[f"IMIN{d}"], out[f"IMXD{d}"] = imax / d, imin / d, (imax - imin) / d
        out[f"CORR{d}"] = corr(c.to_numpy(), np.log(v + 1).to_numpy(), d)
        out[f"CORD{d}"] = corr((c / c.shift(1)).to_numpy(), np.log(v / v.shift(1) + 1).to_numpy(), d)
        out[f"CNTP{d}"], out[f"CNTN{d}"] = roll(up, d, np.mean), roll(down, d, np.mean)
        out[f"CNTD{d}"] = out[f"CNTP{d}"] - out[f"CNTN{d}"]
        out[f"SUMP{d}"], out[f"SUMN{d}"], out[f"SUMD{d}"] = shares(c, d)
        out[f"VMA{d}"] = roll(v, d, np.mean) / (v + tiny)
        out[f"VSTD{d}"] = roll(v, d, std) / (v + tiny)
        out[f"WVMA{d}"] = roll(weighted, d, std) / (roll(weighted, d, np.mean) + tiny)
        out[f"VSUMP{d}"], out[f"VSUMN{d}"], out[f"VSUMD{d}"] = shares(v, d)
    return out


golden_bars.write(alpha158, "alpha", [0, 4, 5, 59, 60, *range(65, 240, 16)], range(3, 2000, 141))
