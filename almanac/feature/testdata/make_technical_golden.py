#!/usr/bin/env python3
"""Writes technical_golden.csv: technical indicators of bars.csv from their published definitions.

Plain numpy and pandas, each window by itself and each recursion as it was published (cumulative
lines are cumulated, fitted lines are fitted by numpy), independent of how almanac computes them.
Run in this folder after make_golden.py: ./make_technical_golden.py (pandas 1.5 or newer).
"""
import numpy as np
import pandas as pd

bars = pd.read_csv("bars.csv")
o, h, l, c, v = (bars[k].to_numpy() for k in ("open", "high", "low", "close", "volume"))
size = len(c)
nan = np.nan


def windows(x, n, function):
    result = np.full(size, nan)
    for t in range(n - 1, size):
        part = x[t - n + 1 : t + 1]
        if not np.isnan(part).any():
            result[t] = function(part)
    return result


def sma(x, n):
    return windows(x, n, lambda part: np.sum(part) / n)


def recursive(x, n, weight, begin=0):
    """Begun with the mean of the first n known values from bar `begin` on."""
    result = np.full(size, nan)
    first = max(begin, int(np.argmax(~np.isnan(x))))
    result[first + n - 1] = np.mean(x[first : first + n])
    for t in range(first + n, size):
        result[t] = (1 - weight) * result[t - 1] + weight * x[t]
    return result


def ema(x, n, begin=0):
    return recursive(x, n, 2 / (n + 1), begin)


def wilder(x, n):
    return recursive(x, n, 1 / n)


def before(x, n=1):
    return np.concatenate([np.full(n, nan), x[:-n]])


def ratio(a, b):
    return np.divide(a, b, out=np.full(size, nan), where=b != 0)


def rsi(x, n):
    change = x - before(x)
    gain = wilder(np.where(np.isnan(change), nan, np.clip(change, 0, None)), n)
    loss = wilder(np.where(np.isnan(change), nan, np.clip(-change, 0, None)), n)
    return 100 - 100 / (1 + gain / loss)


def highest(x, n):
    return windows(x, n, np.max)


def lowest(x, n):
    return windows(x, n, np.min)


typical = (h + l + c) / 3
median = (h + l) / 2
tr = np.maximum.reduce([h - l, np.abs(h - before(c)), np.abs(l - before(c))])
change = c - before(c)
out = {}

for n in (1, 10, 15):
    out[f"sma_distance_{n}"] = c / sma(c, n) - 1
    weights = np.arange(1, n + 1)
    out[f"wma_distance_{n}"] = c / windows(c, n, lambda p: np.average(p, weights=weights)) - 1
for n in (9, 10):
    triangle = np.minimum(np.arange(1, n + 1), np.arange(n, 0, -1))
    out[f"trima_distance_{n}"] = c / windows(c, n, lambda p: np.average(p, weights=triangle)) - 1
for n in (5, 12):
    e1 = ema(c, n)
    e2 = ema(e1, n)
    e3 = ema(e2, n)
    out[f"dema_distance_{n}"] = c / (2 * e1 - e2) - 1
    out[f"tema_distance_{n}"] = c / (3 * e1 - 3 * e2 + e3) - 1
    out[f"trix_{n}"] = 100 * (e3 - before(e3)) / before(e3)


def kama(n):
    result = np.full(size, nan)
    level = c[n - 1]
    for t in range(n, size):
        path = sum(abs(c[i] - c[i - 1]) for i in range(t - n + 1, t + 1))
        efficiency = abs(c[t] - c[t - n]) / path if path > 0 else 1
        smooth = (efficiency * (2 / 3 - 2 / 31) + 2 / 31) ** 2
        level = level + smooth * (c[t] - level)
        result[t] = level
    return result


out["kama_distance_10"] = c / kama(10) - 1
for n in (2, 14):
    x = np.arange(n)
    fits = {t: np.polynomial.Polynomial.fit(x, c[t - n + 1 : t + 1], 1) for t in range(n - 1, size)}

    def at(position):
        return np.array([fits[t](position) if t in fits else nan for t in range(size)])

    slope = [fits[t].convert().coef[1] if t in fits else nan for t in range(size)]
    out[f"linreg_slope_{n}"] = np.array(slope) / c
    if n > 2:  # a line through two points ends in the last: the distance is rounding alone
        out[f"linreg_distance_{n}"] = c / at(n - 1) - 1
    out[f"linreg_intercept_distance_{n}"] = c / at(0) - 1
    out[f"tsf_distance_{n}"] = c / at(n) - 1

out["rsi_14"] = rsi(c, 14)
out["rsi_3"] = rsi(c, 3)
up, down = np.clip(change, 0, None), np.clip(-change, 0, None)
out["cmo_9"] = 100 * (
    windows(up, 9, np.sum) - windows(down, 9, np.sum)
) / (windows(up, 9, np.sum) + windows(down, 9, np.sum))
for fast, slow, smooth in ((12, 26, 9), (3, 10, 4)):
    line = ema(c, fast, slow - fast) - ema(c, slow)
    signal = ema(line, smooth)
    out[f"macd_line_{fast}_{slow}"] = line / c
    out[f"macd_signal_{fast}_{slow}_{smooth}"] = signal / c
    out[f"macd_histogram_{fast}_{slow}_{smooth}"] = (line - signal) / c
    out[f"apo_{fast}_{slow}"] = (sma(c, fast) - sma(c, slow)) / c
    out[f"ppo_{fast}_{slow}"] = 100 * (sma(c, fast) / sma(c, slow) - 1)

streak = np.zeros(size)
for t in range(1, size):
    sign = np.sign(c[t] - c[t - 1])
    streak[t] = sign + (streak[t - 1] if sign != 0 and sign == np.sign(streak[t - 1]) else 0)
returns = c / before(c) - 1
rank = np.full(size, nan)
for t in range(41, size):
    rank[t] = 100 * np.mean(returns[t - 40 : t] < returns[t])
out["connors_rsi_3_2_40"] = (rsi(c, 3) + rsi(streak, 2) + rank) / 3

fast_k = 100 * (c - lowest(l, 14)) / (highest(h, 14) - lowest(l, 14))
out["stochastic_k_14_3"] = sma(fast_k, 3)
out["stochastic_d_14_3_5"] = sma(sma(fast_k, 3), 5)
r = rsi(c, 14)
stoch_rsi = 100 * ratio(r - lowest(r, 10), highest(r, 10) - lowest(r, 10))
out["stochrsi_k_14_10"] = stoch_rsi
out["stochrsi_d_14_10_3"] = sma(stoch_rsi, 3)
out["williams_r_14"] = -100 * (highest(h, 14) - c) / (highest(h, 14) - lowest(l, 14))
out["cci_20"] = (typical - sma(typical, 20)) / (
    0.015 * windows(typical, 20, lambda p: np.mean(np.abs(p - np.mean(p))))
)
true_low = np.minimum(l, before(c))
pressure = c - true_low
average = [windows(pressure, n, np.sum) / windows(tr, n, np.sum) for n in (7, 14, 28)]
out["ultimate_oscillator_7_14_28"] = 100 * (4 * average[0] + 2 * average[1] + average[2]) / 7
out["balance_of_power"] = (c - o) / (h - l)


def fisher(n):
    result = np.full(size, nan)
    value = transformed = 0
    top, bottom = highest(median, n), lowest(median, n)
    for t in range(n - 1, size):
        position = (median[t] - bottom[t]) / (top[t] - bottom[t])
        value = 0.33 * 2 * (position - 0.5) + 0.67 * value
        value = 0.999 if value > 0.999 else -0.999 if value < -0.999 else value
        transformed = 0.5 * np.log((1 + value) / (1 - value)) + 0.5 * transformed
        result[t] = transformed
    return result


out["fisher_transform_9"] = fisher(9)

middle = sma(c, 20)
deviation = windows(c, 20, np.std)
out["bollinger_percent_b_20_2"] = (c - (middle - 2 * deviation)) / (4 * deviation)
out["bollinger_bandwidth_20_2"] = 4 * deviation / middle
center, width = ema(c, 20), 2 * wilder(tr, 10)
out["keltner_position_20_10_2"] = (c - (center - width)) / (2 * width)
top, bottom = before(highest(h, 20)), before(lowest(l, 20))
out["donchian_position_20"] = (c - bottom) / (top - bottom)
out["true_range"] = tr / c
out["natr_14"] = 100 * wilder(tr, 14) / c


def supertrend(n, k):
    atr = wilder(tr, n)
    upper, lower, line = (np.full(size, nan) for _ in range(3))
    falling = True
    for t in range(n, size):
        upper[t], lower[t] = median[t] + k * atr[t], median[t] - k * atr[t]
        if t == n:
            line[t] = upper[t]
            continue
        if not (upper[t] < upper[t - 1] or c[t - 1] > upper[t - 1]):
            upper[t] = upper[t - 1]
        if not (lower[t] > lower[t - 1] or c[t - 1] < lower[t - 1]):
            lower[t] = lower[t - 1]
        falling = not c[t] > upper[t] if falling else bool(c[t] < lower[t])
        line[t] = upper[t] if falling else lower[t]
    return line


for n, k in ((10, 3), (3, 1)):
    out[f"supertrend_distance_{n}_{k}"] = c / supertrend(n, k) - 1


def directional(n):
    """TA-Lib's: plain sums of n - 1 bars, then Wilder's; the first index is that of bar n."""
    plus_di, minus_di, dx = (np.full(size, nan) for _ in range(3))
    plus = minus = ranges = 0
    for t in range(1, size):
        rise, fall = h[t] - h[t - 1], l[t - 1] - l[t]
        if t >= n:
            plus, minus, ranges = plus - plus / n, minus - minus / n, ranges - ranges / n
        plus += rise if rise > 0 and rise > fall else 0
        minus += fall if fall > 0 and fall > rise else 0
        ranges += tr[t]
        if t >= n:
            plus_di[t], minus_di[t] = 100 * plus / ranges, 100 * minus / ranges
            dx[t] = 100 * abs(plus_di[t] - minus_di[t]) / (plus_di[t] + minus_di[t])
    return plus_di, minus_di, dx


plus_di, minus_di, dx = directional(14)
out["plus_di_14"], out["minus_di_14"], out["dx_14"] = plus_di, minus_di, dx
out["adx_14"] = wilder(dx, 14)
aroon_up = windows(h, 26, lambda p: 100 * (25 - np.argmax(p[::-1])) / 25)
aroon_down = windows(l, 26, lambda p: 100 * (25 - np.argmin(p[::-1])) / 25)
out["aroon_up_25"], out["aroon_down_25"] = aroon_up, aroon_down
out["aroon_oscillator_25"] = aroon_up - aroon_down
out["vortex_plus_14"] = windows(np.abs(h - before(l)), 14, np.sum) / windows(tr, 14, np.sum)
out["vortex_minus_14"] = windows(np.abs(l - before(h)), 14, np.sum) / windows(tr, 14, np.sum)

money = typical * v
rising = np.where(typical > before(typical), money, 0.0)
sinking = np.where(typical < before(typical), money, 0.0)
rising[0] = sinking[0] = nan
out["mfi_14"] = 100 - 100 / (1 + windows(rising, 14, np.sum) / windows(sinking, 14, np.sum))
obv = np.cumsum(np.concatenate([[0.0], np.sign(change[1:]) * v[1:]]))
out["obv_change_10"] = (obv - before(obv, 10)) / windows(v, 10, np.sum)
flow = ((c - l) - (h - c)) / (h - l) * v
out["chaikin_money_flow_20"] = windows(flow, 20, np.sum) / windows(v, 20, np.sum)
line = np.cumsum(flow)


def from_first(x, n):
    result = np.array(x)
    for t in range(1, size):
        result[t] = result[t - 1] + 2 / (n + 1) * (x[t] - result[t - 1])
    return result


oscillator = from_first(line, 3) - from_first(line, 10)
oscillator[:9] = nan
out["chaikin_oscillator_3_10"] = oscillator / sma(v, 10)
out["vwap_distance_20"] = c / (windows(money, 20, np.sum) / windows(v, 20, np.sum)) - 1

force = np.full(size, nan)
trend = 0
cumulated = 0
for t in range(1, size):
    now = np.sign(typical[t] - typical[t - 1]) or trend
    if now == trend:
        cumulated += h[t] - l[t]
    else:
        cumulated = (h[t - 1] - l[t - 1]) + (h[t] - l[t])
    trend = now
    force[t] = v[t] * abs(2 * (h[t] - l[t]) / cumulated - 1) * trend
klinger = ema(force, 34) - ema(force, 55)
out["klinger_oscillator_34_55"] = klinger / sma(v, 55)
out["klinger_signal_34_55_13"] = ema(klinger, 13) / sma(v, 55)



def middle_of(n):
    return (highest(h, n) + lowest(l, n)) / 2


span_a, span_b = (middle_of(9) + middle_of(26)) / 2, middle_of(52)
out["ichimoku_conversion_base_9_26"] = (middle_of(9) - middle_of(26)) / c
out["ichimoku_lead_width_9_26_52"] = (span_a - span_b) / c
cloud_a, cloud_b = before(span_a, 26), before(span_b, 26)
out["ichimoku_cloud_width_9_26_52_26"] = (cloud_a - cloud_b) / c
top, bottom = np.fmax(cloud_a, cloud_b), np.fmin(cloud_a, cloud_b)
top[np.isnan(cloud_b)] = bottom[np.isnan(cloud_b)] = nan
out["ichimoku_cloud_distance_9_26_52_26"] = np.where(
    c > top, c / top - 1, np.where(c < bottom, c / bottom - 1, 0 * top)
)

golden = pd.DataFrame(out)
golden.insert(0, "row", np.arange(size))
# All warm-up rows, and enough of the rest to see every recursion go on.
golden = golden[(golden.row < 72) | (golden.row % 6 == 5)]
golden.to_csv("technical_golden.csv", index=False, na_rep="nan", float_format="%.13g")
