"""The strategies of backtest_bench.cc as vectorised NumPy and pandas backtests; prints JSON.

Usage: backtest_peer.py FOLDER SYMBOLS. CPU seconds, the smallest of three runs.
"""
import json
import pathlib
import sys
import time

try:
    import numpy as np
    import pandas as pd
except ImportError as error:
    print(f"python3 without {error.name}")
    sys.exit(1)

FEE = 0.0015  # 10 bp fee and 5 bp slippage
EVERY = 30    # bars between decisions


def fastest(work, runs=3):
    best = float("inf")
    for _ in range(runs):
        before = time.process_time()
        result = work()
        best = min(best, time.process_time() - before)
    return best, result


def sweep(open_, close, signal, thresholds):
    """Long above, short below, held until the next decision; costs on every change of position."""
    n = len(open_)
    returns = np.empty(n)
    returns[:-1] = open_[1:] / open_[:-1] - 1
    returns[-1] = close[-1] / open_[-1] - 1
    finals = []
    for threshold in thresholds:
        decided = np.where(signal > threshold, 1.0, np.where(signal < -threshold, -1.0, 0.0))
        position = np.zeros(n)
        held = np.repeat(decided, EVERY)[: n - EVERY]
        position[EVERY : EVERY + len(held)] = held
        change = np.abs(np.diff(position, prepend=0.0))
        equity = np.cumprod(1 + position * returns - FEE * change)
        finals.append(equity[-1])
    return finals


def panel(open_, forecast):
    """The ten highest forecasts in equal parts, from open to open; costs on every change."""
    rank = forecast.rank(axis=1, ascending=False, method="first")
    weights = (rank <= 10).astype(float) / 10
    returns = open_.shift(-1) / open_ - 1
    before = weights.shift(1).fillna(0.0)
    change = (weights - before).abs().sum(axis=1)
    portfolio = (weights * returns).sum(axis=1) - FEE * change
    return 10000 * (1 + portfolio).cumprod().iloc[-1]


def main():
    folder, symbols = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    read = lambda name: np.fromfile(folder / f"{name}.f64")
    open_, close, signal = read("open"), read("close"), read("signal")
    thresholds = read("thresholds")
    some = thresholds[:: max(1, len(thresholds) // 20)]
    sweep_seconds, _ = fastest(lambda: sweep(open_, close, signal, some))
    prices = pd.DataFrame(read("panel_open").reshape(-1, symbols))
    forecast = pd.DataFrame(read("panel_forecast").reshape(-1, symbols))
    # A forecast of day d is filled at the open of day d + 1.
    fills = prices.iloc[1:].reset_index(drop=True)
    panel_seconds, equity = fastest(lambda: panel(fills, forecast))
    print(json.dumps({
        "sweep_seconds_each": sweep_seconds / len(some),
        "panel_seconds": panel_seconds,
        "panel_equity": equity,
    }))


main()
