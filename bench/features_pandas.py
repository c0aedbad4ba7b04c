"""The fifty common features of features_bench in pandas. Prints the processor seconds of one pass.

Usage: features_pandas.py CANDLES.csv   (columns open, high, low, close, volume)
"""

import sys
import time

try:
    import numpy as np
    import pandas as pd
except ImportError:
    sys.exit(1)

WINDOWS = (7, 14, 28, 56, 112)


def features(bars):
    high, low, close, volume = bars["high"], bars["low"], bars["close"], bars["volume"]
    previous = close.shift()
    change = close.diff()
    true_range = pd.concat([high - low, (high - previous).abs(), (low - previous).abs()], axis=1).max(axis=1)
    typical = (high + low + close) / 3
    flow = typical * volume
    rising = flow.where(typical.diff() > 0, 0.0)
    falling = flow.where(typical.diff() < 0, 0.0)
    columns = {}
    for n in WINDOWS:
        columns[f"simple_return_{n}"] = close.pct_change(n)
        mean = close.rolling(n).mean()
        columns[f"sma_distance_{n}"] = close / mean - 1
        columns[f"ema_distance_{n}"] = close / close.ewm(span=n, adjust=False).mean() - 1
        width = 2 * close.rolling(n).std(ddof=0)
        columns[f"bollinger_percent_b_{n}"] = (close - mean + width) / (2 * width)
        gain = change.clip(lower=0).ewm(alpha=1 / n, adjust=False).mean()
        loss = (-change.clip(upper=0)).ewm(alpha=1 / n, adjust=False).mean()
        columns[f"rsi_{n}"] = 100 * gain / (gain + loss)
        columns[f"natr_{n}"] = 100 * true_range.ewm(alpha=1 / n, adjust=False).mean() / close
        highest, lowest = high.rolling(n).max(), low.rolling(n).min()
        columns[f"williams_r_{n}"] = 100 * (close - highest) / (highest - lowest)
        up, down = rising.rolling(n).sum(), falling.rolling(n).sum()
        columns[f"mfi_{n}"] = 100 * up / (up + down)
        # Least squares against 0 ... n-1, by two rolling sums.
        steps = pd.Series(np.arange(len(close), dtype=float), index=close.index)
        covariance = (steps * close).rolling(n).mean() - steps.rolling(n).mean() * mean
        columns[f"linreg_slope_{n}"] = covariance / ((n * n - 1) / 12) / close
        # The mean absolute deviation has no rolling form in pandas: windows as views of NumPy.
        windows = np.lib.stride_tricks.sliding_window_view(typical.to_numpy(), n)
        centre = windows.mean(axis=1)
        deviation = np.abs(windows - centre[:, None]).mean(axis=1)
        columns[f"cci_{n}"] = (typical.to_numpy()[n - 1 :] - centre) / (0.015 * deviation)
    return {name: np.asarray(column, dtype=np.float32) for name, column in columns.items()}


def main():
    bars = pd.read_csv(sys.argv[1])
    begin = time.process_time()
    features(bars)
    print(time.process_time() - begin)


main()
