#!/usr/bin/env python3
"""Writes what TA-Lib gives for the technical families that it has a function for.

talib_golden.csv       on bars.csv
talib_real_golden.csv  on some rows of BTCUSDT's 87,602 real bars of 30 minutes

Prices are made free of their level as the families are (close / level - 1, price / close).
Run in this folder after make_golden.py:
./make_talib_golden.py libta-lib.so ../../../../shared/data (numpy, pandas 1.5 or newer, zstd).
"""
import io
import subprocess
import sys

import numpy as np
import pandas as pd

from talib import TaLib

ta = TaLib(sys.argv[1])


def before(x, n=1):
    return np.concatenate([np.full(n, np.nan), x[:-n]])


def moved(x):
    """For functions of deviations alone: TA-Lib takes them as mean squares less squared means,
    which loses the more digits the further the values are from 0."""
    return x - x[-1]


def columns(bars):
    o, h, l, c, v = (bars[k].to_numpy() for k in ("open", "high", "low", "close", "volume"))
    out = {}

    def distance(level):
        return c / level - 1

    for n in (5, 12):
        for family, function in (
            ("sma", "SMA"), ("ema", "EMA"), ("wma", "WMA"), ("trima", "TRIMA"), ("dema", "DEMA"),
            ("tema", "TEMA"), ("kama", "KAMA"), ("linreg", "LINEARREG"),
            ("linreg_intercept", "LINEARREG_INTERCEPT"), ("tsf", "TSF"), ("midpoint", "MIDPOINT"),
        ):
            out[f"{family}_distance_{n}"] = distance(ta.call(function, [c], (n,)))
        out[f"midprice_distance_{n}"] = distance(ta.call("MIDPRICE", [h, l], (n,)))
        for factor in (70, 35):
            out[f"t3_distance_{n}_{factor}"] = distance(ta.call("T3", [c], (n, factor / 100.0)))
        out[f"linreg_slope_{n}"] = ta.call("LINEARREG_SLOPE", [c], (n,)) / c
        slope = np.tan(np.radians(ta.call("LINEARREG_ANGLE", [c], (n,))))
        out[f"linreg_angle_{n}"] = np.degrees(np.arctan(100 * slope / c))
        out[f"close_deviation_{n}"] = ta.call("STDDEV", [moved(c)], (n, 1.0)) / c
        out[f"close_variance_{n}"] = ta.call("VAR", [moved(c)], (n, 1.0)) / c**2
        out[f"close_average_deviation_{n}"] = ta.call("AVGDEV", [c], (n,)) / c
        out[f"high_low_beta_{n}"] = ta.call("BETA", [h, l], (n,))
        out[f"high_low_correlation_{n}"] = ta.call("CORREL", [moved(h), moved(l)], (n,))
        out[f"close_volume_correlation_{n}"] = ta.call("CORREL", [moved(c), moved(v)], (n,))
        upper, middle, lower = ta.call("BBANDS", [moved(c)], (n, 2.0, 2.0, 0), outputs=3)
        out[f"bollinger_percent_b_{n}_2"] = (moved(c) - lower) / (upper - lower)
        out[f"bollinger_bandwidth_{n}_2"] = (upper - lower) / (middle + c[-1])
        upper, middle, lower = ta.call("ACCBANDS", [h, l, c], (n,), outputs=3)
        out[f"acceleration_band_position_{n}"] = (c - lower) / (upper - lower)
        out[f"acceleration_band_width_{n}"] = (upper - lower) / middle
        out[f"natr_{n}"] = ta.call("NATR", [h, l, c], (n,))
        out[f"simple_return_{n}"] = ta.call("ROCP", [c], (n,))
        out[f"rsi_{n}"] = ta.call("RSI", [c], (n,))
        out[f"imi_{n}"] = ta.call("IMI", [o, c], (n,))
        out[f"trix_{n}"] = ta.call("TRIX", [c], (n,))
        out[f"cci_{n}"] = ta.call("CCI", [h, l, c], (n,))
        out[f"williams_r_{n}"] = ta.call("WILLR", [h, l, c], (n,))
        for family in ("plus_di", "minus_di", "dx", "adx", "adxr"):
            out[f"{family}_{n}"] = ta.call(family.upper(), [h, l, c], (n,))
        for family in ("plus_dm", "minus_dm"):
            out[f"{family}_{n}"] = ta.call(family.upper(), [h, l], (n,)) / c
            out[f"{family}_{n}"][: n] = np.nan  # the family begins with its indicator
        out[f"aroon_down_{n}"], out[f"aroon_up_{n}"] = ta.call("AROON", [h, l], (n,), outputs=2)
        out[f"aroon_oscillator_{n}"] = ta.call("AROONOSC", [h, l], (n,))
        out[f"mfi_{n}"] = ta.call("MFI", [h, l, c, v], (n,))
        volume = ta.call("SUM", [v], (n,))
        obv, line = ta.call("OBV", [c, v]), ta.call("AD", [h, l, c, v])
        out[f"obv_change_{n}"] = (obv - before(obv, n)) / volume
        out[f"chaikin_money_flow_{n}"] = (line - before(line, n)) / volume
        k, d = ta.call("STOCHF", [h, l, c], (n, 3, 0), outputs=2)
        out[f"range_position_{n}"] = k / 100
        out[f"stochastic_k_{n}_3"] = d
        k, d = ta.call("STOCH", [h, l, c], (n, 3, 0, 4, 0), outputs=2)
        out[f"stochastic_d_{n}_3_4"] = d
        k, d = ta.call("STOCHRSI", [c], (n, 6, 3, 0), outputs=2)
        out[f"stochrsi_k_{n}_6"], out[f"stochrsi_d_{n}_6_3"] = k, d
    out["true_range"] = ta.call("TRANGE", [h, l, c]) / c
    out["balance_of_power"] = ta.call("BOP", [o, h, l, c])
    out["ultimate_oscillator_7_14_28"] = ta.call("ULTOSC", [h, l, c], (7, 14, 28))
    oscillator = ta.call("ADOSC", [h, l, c, v], (3, 10))
    out["chaikin_oscillator_3_10"] = oscillator / ta.call("SMA", [v], (10,))
    for fast, slow, smooth in ((12, 26, 9), (3, 10, 4)):
        line, signal, histogram = ta.call("MACD", [c], (fast, slow, smooth), outputs=3)
        out[f"macd_line_{fast}_{slow}"] = line / c
        out[f"macd_signal_{fast}_{slow}_{smooth}"] = signal / c
        out[f"macd_histogram_{fast}_{slow}_{smooth}"] = histogram / c
        out[f"apo_{fast}_{slow}"] = ta.call("APO", [c], (fast, slow, 0)) / c
        out[f"ppo_{fast}_{slow}"] = ta.call("PPO", [c], (fast, slow, 0))
    line, signal, histogram = ta.call("MACDFIX", [c], (9,), outputs=3)
    out["macd_fixed_line"] = line / c
    out["macd_fixed_signal_9"], out["macd_fixed_histogram_9"] = signal / c, histogram / c
    for kind in range(9):
        other, third = (kind + 4) % 9, (kind + 1) % 9
        line, signal, histogram = ta.call("MACDEXT", [c], (3, kind, 7, other, 5, third), outputs=3)
        out[f"macd_extended_line_3_7_{kind}_{other}"] = line / c
        out[f"macd_extended_signal_3_7_{kind}_{other}_5_{third}"] = signal / c
        out[f"macd_extended_histogram_3_7_{kind}_{other}_5_{third}"] = histogram / c
    for prices, family, function in (
        ([o, h, l, c], "average_price", "AVGPRICE"), ([h, l], "median_price", "MEDPRICE"),
        ([h, l, c], "typical_price", "TYPPRICE"), ([h, l, c], "weighted_close", "WCLPRICE"),
    ):
        out[f"{family}_distance"] = distance(ta.call(function, prices))
    for step, most in ((2, 20), (30, 10)):
        stop = ta.call("SAR", [h, l], (step / 100.0, most / 100.0))
        out[f"sar_distance_{step}_{most}"] = distance(stop)
    stop = ta.call("SAREXT", [h, l], (0.0, 0.01, 0.03, 0.02, 0.15, 0.02, 0.01, 0.1))
    out["sar_extended_distance_1_3_2_15_2_1_10"] = distance(np.abs(stop))
    for fast, slow in ((50, 5), (20, 10)):
        mama, fama = ta.call("MAMA", [c], (fast / 100.0, slow / 100.0), outputs=2)
        out[f"mama_distance_{fast}_{slow}"] = distance(mama)
        out[f"fama_distance_{fast}_{slow}"] = distance(fama)
    period = ta.call("HT_DCPERIOD", [c])
    out["ht_period"] = period
    mean = ta.call("MAVP", [c, np.nan_to_num(period)], (10, 40, 0))
    out["cycle_mean_distance_10_40"] = distance(mean)
    in_phase, quadrature = ta.call("HT_PHASOR", [c], outputs=2)
    out["ht_in_phase"], out["ht_quadrature"] = in_phase / c, quadrature / c
    out["ht_phase"] = ta.call("HT_DCPHASE", [c])
    out["ht_sine"], out["ht_lead_sine"] = ta.call("HT_SINE", [c], outputs=2)
    out["ht_trendline_distance"] = distance(ta.call("HT_TRENDLINE", [c]))
    out["ht_trend_mode"] = ta.call("HT_TRENDMODE", [c], integers=True)
    return pd.DataFrame(out)


def write(name, frame, rows):
    frame.insert(0, "row", np.arange(len(frame)))
    frame[rows].to_csv(name, index=False, na_rep="nan", float_format="%.13g")


small = columns(pd.read_csv("bars.csv"))
row = np.arange(len(small))
write("talib_golden.csv", small, (row < 36) | (row % 12 == 11))
path = f"{sys.argv[2]}/crypto/spot_30m/BTCUSDT.csv.zst"
text = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout
bars = pd.read_csv(io.BytesIO(text), float_precision="round_trip")
row = np.arange(len(bars))
chosen = (row % 2999 == 2998) | (row == len(bars) - 1)
real = columns(bars)
# TA-Lib's running sums gather rounding errors with the length of history. What has forgotten all
# but its last 400 bars is taken from those.
LONG_MEMORY = ("kama", "sar", "mama", "fama", "ht_", "cycle_mean")
LONG_KINDS = ("_3_7_2_6", "_3_7_6_1", "_3_7_3_7", "_3_7_7_2")  # with KAMA or MAMA
recent = [
    name
    for name in real
    if not name.startswith(LONG_MEMORY) and not any(kinds in name for kinds in LONG_KINDS)
]
recent = [name for name in recent if not name.endswith(("_5_6", "_5_7"))]
for last in row[chosen]:
    part = columns(bars[max(0, last - 399) : last + 1].reset_index(drop=True))
    real.loc[last, recent] = part.loc[len(part) - 1, recent]
write("talib_real_golden.csv", real, chosen)
