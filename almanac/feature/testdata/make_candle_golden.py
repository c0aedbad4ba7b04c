#!/usr/bin/env python3
"""Writes what TA-Lib finds for its 61 candlestick patterns.

candle_bars.csv         simulated bars, cut together so that every pattern occurs with every value
candle_golden.csv       pattern,row,value: where each is not 0 on those bars; row -1 gives the first
                        row that has a value
candle_real_golden.csv  the same on real bars as a hash over all rows

Prices are whole numbers of ticks, so that all sums are exact and a tie is a tie on both sides.
Run in this folder: ./make_candle_golden.py libta-lib.so ../../../../shared/data (numpy, pandas 1.5
or newer, zstd).
"""
import hashlib
import io
import subprocess
import sys

import numpy as np
import pandas as pd

from talib import TaLib

PATTERNS = {
    "abandoned_baby_30": "ABANDONEDBABY", "advance_block": "ADVANCEBLOCK", "belt_hold": "BELTHOLD",
    "breakaway": "BREAKAWAY", "closing_marubozu": "CLOSINGMARUBOZU",
    "concealing_baby_swallow": "CONCEALBABYSWALL", "counterattack": "COUNTERATTACK",
    "dark_cloud_cover_50": "DARKCLOUDCOVER", "doji": "DOJI", "doji_star": "DOJISTAR",
    "dragonfly_doji": "DRAGONFLYDOJI", "engulfing": "ENGULFING",
    "evening_doji_star_30": "EVENINGDOJISTAR", "evening_star_30": "EVENINGSTAR",
    "gap_side_by_side_white": "GAPSIDESIDEWHITE", "gap_three_methods": "XSIDEGAP3METHODS",
    "gravestone_doji": "GRAVESTONEDOJI", "hammer": "HAMMER", "hanging_man": "HANGINGMAN",
    "harami": "HARAMI", "harami_cross": "HARAMICROSS", "high_wave": "HIGHWAVE",
    "hikkake": "HIKKAKE", "homing_pigeon": "HOMINGPIGEON",
    "identical_three_crows": "IDENTICAL3CROWS", "in_neck": "INNECK",
    "inverted_hammer": "INVERTEDHAMMER", "kicking": "KICKING",
    "kicking_by_length": "KICKINGBYLENGTH", "ladder_bottom": "LADDERBOTTOM",
    "long_legged_doji": "LONGLEGGEDDOJI", "long_line": "LONGLINE", "marubozu": "MARUBOZU",
    "mat_hold_50": "MATHOLD", "matching_low": "MATCHINGLOW", "modified_hikkake": "HIKKAKEMOD",
    "morning_doji_star_30": "MORNINGDOJISTAR", "morning_star_30": "MORNINGSTAR",
    "on_neck": "ONNECK", "piercing": "PIERCING", "rickshaw_man": "RICKSHAWMAN",
    "rising_falling_three_methods": "RISEFALL3METHODS", "separating_lines": "SEPARATINGLINES",
    "shooting_star": "SHOOTINGSTAR", "short_line": "SHORTLINE", "spinning_top": "SPINNINGTOP",
    "stalled": "STALLEDPATTERN", "stick_sandwich": "STICKSANDWICH", "takuri": "TAKURI",
    "tasuki_gap": "TASUKIGAP", "three_black_crows": "3BLACKCROWS", "three_inside": "3INSIDE",
    "three_line_strike": "3LINESTRIKE", "three_outside": "3OUTSIDE",
    "three_stars_in_south": "3STARSINSOUTH", "three_white_soldiers": "3WHITESOLDIERS",
    "thrusting": "THRUSTING", "tristar": "TRISTAR", "two_crows": "2CROWS",
    "unique_three_river": "UNIQUE3RIVER", "upside_gap_two_crows": "UPSIDEGAP2CROWS",
}
BOTH = (-100, 100)
HALF = (-100, -80, 80, 100)
DOWN = (
    "advance_block dark_cloud_cover evening_doji_star evening_star hanging_man "
    "identical_three_crows in_neck on_neck shooting_star stalled three_black_crows thrusting "
    "two_crows upside_gap_two_crows"
).split()
SIGNED = (
    "abandoned_baby belt_hold breakaway closing_marubozu counterattack doji_star "
    "gap_side_by_side_white gap_three_methods high_wave kicking kicking_by_length long_line "
    "marubozu rising_falling_three_methods separating_lines short_line spinning_top tasuki_gap "
    "three_inside three_line_strike three_outside tristar"
).split()


def base(name):
    return name.rsplit("_", 1)[0] if name[-1].isdigit() else name


def possible(name):
    if base(name) in ("engulfing", "harami", "harami_cross"):
        return HALF
    if base(name) in ("hikkake", "modified_hikkake"):
        return (-200, -100, 100, 200)
    if base(name) in SIGNED:
        return BOTH
    return (-100,) if base(name) in DOWN else (100,)


ta = TaLib(sys.argv[1])
shared = sys.argv[2]


def find(name, bars):
    options = (int(name.rsplit("_", 1)[1]) / 100.0,) if name[-1].isdigit() else ()
    return ta.call("CDL" + PATTERNS[name], bars, options, integers=True)


def simulate(rng, size):
    """Candles of a few whole sizes: ties, gaps and shaven ends are common."""
    scale = np.repeat(rng.choice([1, 2, 6], size // 8 + 1), 8)[:size]
    body = rng.choice([0, 1, 2, 4, 8, 16], size) * rng.choice([-1, 1], size)
    run = np.repeat(rng.choice([-1, 1], size // 5 + 1), 5)[:size]
    body = np.where(rng.random(size) < 0.5, body, np.abs(body) * run)
    jumps = rng.choice([-16, -8, -4, -2, -1, 1, 2, 4, 8, 16], size)
    gap = np.where(rng.random(size) < 0.3, 0, jumps)
    upper = np.where(rng.random(size) < 0.4, 0, rng.choice([1, 2, 6, 16], size))
    lower = np.where(rng.random(size) < 0.4, 0, rng.choice([1, 2, 6, 16], size))
    # Held near one level, or a segment would begin far from where the last one ended.
    close = np.zeros(size)
    open_ = np.zeros(size)
    level = 4000
    for i in range(size):
        open_[i] = level + gap[i] * scale[i]
        close[i] = open_[i] + body[i] * scale[i]
        level = close[i] if abs(close[i] - 4000) < 2000 else 4000
    high = np.maximum(open_, close) + upper * scale
    low = np.minimum(open_, close) - lower * scale
    return [open_, high, low, close]


def collect():
    rng = np.random.default_rng(61)
    bars = simulate(rng, 300)
    missing = {(name, value) for name in PATTERNS for value in possible(name)}
    length = 24
    for _ in range(400):
        for name in PATTERNS:
            missing -= {(name, value) for value in np.unique(find(name, bars))}
        if not missing:
            return [x.astype(int) for x in bars]
        more = simulate(rng, 200_000)
        for name, value in sorted(missing):
            rows = np.flatnonzero(find(name, more) == value)
            rows = rows[rows >= length]
            if len(rows) > 0:
                cut = slice(rows[0] - length + 1, rows[0] + 1)
                bars = [np.concatenate([x, y[cut]]) for x, y in zip(bars, more)]
    raise SystemExit(f"never occurred: {sorted(missing)}")


crafted = collect()
FIELDS = ("open", "high", "low", "close")
pd.DataFrame(dict(zip(FIELDS, crafted))).to_csv("candle_bars.csv", index=False)
with open("candle_golden.csv", "w") as out:
    out.write("pattern,row,value\n")
    for name in PATTERNS:
        values = find(name, crafted)
        out.write(f"{name},-1,{np.flatnonzero(~np.isnan(values))[0]}\n")
        for row in np.flatnonzero(np.nan_to_num(values)):
            out.write(f"{name},{row},{int(values[row])}\n")


def read(path, columns):
    command = ["zstd", "-dc", f"{shared}/{path}"]
    text = subprocess.run(command, capture_output=True, check=True).stdout
    frame = pd.read_csv(io.BytesIO(text), float_precision="round_trip")
    ticks = [np.floor(frame[k].to_numpy() * 1e6 + 0.5) for k in FIELDS]
    if columns is None:
        return [ticks]
    starts = np.flatnonzero(frame[columns].ne(frame[columns].shift()))
    return [list(part) for part in zip(*(np.split(x, starts[1:]) for x in ticks))]


with open("candle_real_golden.csv", "w") as out:
    out.write("series,pattern,values,found,sha256\n")
    sources = [(s, f"crypto/spot_30m/{s}.csv.zst", None) for s in ("BTCUSDT", "SOLUSDT", "XRPUSDT")]
    for label, path, column in sources + [("daily", "equities/daily_2018_2021.csv.zst", "symbol")]:
        parts = read(path, column)
        for name in PATTERNS:
            values = np.concatenate([v[~np.isnan(v)] for v in (find(name, part) for part in parts)])
            digest = hashlib.sha256((values / 20).astype(np.int8).tobytes()).hexdigest()
            out.write(f"{label},{name},{len(values)},{np.count_nonzero(values)},{digest[:16]}\n")
