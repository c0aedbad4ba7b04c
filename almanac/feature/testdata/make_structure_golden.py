#!/usr/bin/env python3
"""Writes structure_golden.csv and structure_golden_real.csv: swings, levels, profiles and pivots.

Each row looks back over all that was known then, written from the definitions in docs/features-structure.md
without the state that almanac keeps. Run in this folder after make_golden.py:
./make_structure_golden.py (pandas 1.5 or newer; real bars are read from shared/data beside the
project).
"""
import math

import numpy as np

import golden_bars

NAN = np.nan


def structure(bars, wanted):
    h, l, c, v = (bars[k].to_numpy() for k in ("high", "low", "close", "volume"))
    times = bars.time.to_numpy()
    size = len(c)
    wanted = [t for t in wanted if t < size]

    def swings(x, k, strict=False):
        """Bars that are swing highs of x, in order; those of lows are those of -x."""
        found = []
        for s in range(k, size - k):
            older, newer = x[s - k : s], x[s + 1 : s + k + 1]
            if x[s] > older.max() and (x[s] > newer.max() if strict else x[s] >= newer.max()):
                found.append(s)
        return found

    def at_rows(function):
        result = np.full(size, NAN)
        for t in wanted:
            result[t] = function(t)
        return result

    out = {}

    def last(found, k, t):
        known = [s for s in found if s + k <= t]
        return known[-1] if known else None

    def distance(found, k, price):
        return at_rows(lambda t: NAN if last(found, k, t) is None else c[t] / price[last(found, k, t)] - 1)

    def age(found, k):
        return at_rows(lambda t: NAN if last(found, k, t) is None else t - last(found, k, t))

    def run(found, k, price):
        def of(t):
            known = [price[s] for s in found if s + k <= t]
            if not known:
                return NAN
            signs = np.sign(np.diff(known))[::-1]
            if len(signs) == 0 or signs[0] == 0:
                return 0
            length = next((i for i, sign in enumerate(signs) if sign != signs[0]), len(signs))
            return signs[0] * length

        return at_rows(of)

    for k in (1, 3, 10):
        top, bottom = swings(h, k), swings(-l, k)
        out[f"swing_high_distance_{k}"] = distance(top, k, h)
        out[f"swing_low_distance_{k}"] = distance(bottom, k, l)
        out[f"swing_high_age_{k}"] = age(top, k)
        out[f"swing_low_age_{k}"] = age(bottom, k)
        out[f"swing_high_run_{k}"] = run(top, k, h)
        out[f"swing_low_run_{k}"] = run(bottom, k, l)

        def position(t):
            s, w = last(top, k, t), last(bottom, k, t)
            if s is None or w is None or h[s] <= l[w]:
                return NAN
            return (c[t] - l[w]) / (h[s] - l[w])

        def broken(t):
            s, w = last(top, k, t), last(bottom, k, t)
            if s is None or w is None:
                return NAN
            if c[t] > h[s] and c[t - 1] <= h[s]:
                return 1
            return -1 if c[t] < l[w] and c[t - 1] >= l[w] else 0

        out[f"swing_position_{k}"] = at_rows(position)
        out[f"swing_break_{k}"] = at_rows(broken)

        for tolerance, memory in ((30, 60), (100, 500)):

            def nearest(t):
                """Price and touches of the levels next to the close, by replaying all swings."""
                levels = []
                for bar in range(t + 1):
                    for found, price in ((top, h), (bottom, l)):
                        if bar - k not in set(found):
                            continue
                        p = price[bar - k]
                        near = [
                            (abs(p - np.mean(x["prices"])) / np.mean(x["prices"]), i)
                            for i, x in enumerate(levels)
                        ]
                        near = [x for x in near if x[0] <= tolerance / 10_000]
                        if near:
                            level = levels[min(near)[1]]
                        else:
                            if len(levels) == 32:
                                raise ValueError("a level would have to make room")
                            level = {"prices": []}
                            levels.append(level)
                        level["prices"].append(p)
                        level["last"] = bar
                    levels = [x for x in levels if bar - x["last"] <= memory]
                means = [(np.mean(x["prices"]), len(x["prices"])) for x in levels]
                above = min((x for x in means if x[0] > c[t]), default=(NAN, NAN))
                below = max((x for x in means if x[0] <= c[t]), default=(NAN, NAN))
                return above, below

            if k == 3:
                values = {t: nearest(t) for t in wanted}
                for side, name in ((0, "resistance"), (1, "support")):
                    column = f"{k}_{tolerance}_{memory}"
                    out[f"{name}_distance_{column}"] = at_rows(lambda t: values[t][side][0] / c[t] - 1)
                    out[f"{name}_touches_{column}"] = at_rows(lambda t: values[t][side][1])

    top, bottom = swings(h, 2, strict=True), swings(-l, 2, strict=True)
    out["fractal_high_distance"] = distance(top, 2, h)
    out["fractal_low_distance"] = distance(bottom, 2, l)
    out["fractal_high_age"], out["fractal_low_age"] = age(top, 2), age(bottom, 2)

    for n in (5, 20):
        broke = np.full(size, NAN)
        for t in range(n, size):
            up, down = c[t] > h[t - n : t].max(), c[t] < l[t - n : t].min()
            broke[t] = 1 if up else -1 if down else 0
        out[f"breakout_{n}"] = broke
        for sign, name in ((1, "up"), (-1, "down")):
            out[f"breakout_{name}_age_{n}"] = at_rows(
                lambda t: t - max(np.flatnonzero(broke[: t + 1] == sign), default=NAN)
            )
        out[f"drawdown_{n}"] = at_rows(
            lambda t: NAN if t < n - 1 else c[t] / h[t - n + 1 : t + 1].max() - 1
        )
        out[f"run_up_{n}"] = at_rows(
            lambda t: NAN if t < n - 1 else c[t] / l[t - n + 1 : t + 1].min() - 1
        )

    typical = (h + l + c) / 3
    for n, steps in ((20, 200), (90, 700)):

        def profile(t):
            if t < n - 1:
                return NAN, NAN, NAN
            volumes = {}
            for i in range(t - n + 1, t + 1):
                step = math.floor(steps * math.log2(typical[i]))
                volumes[step] = volumes.get(step, 0) + v[i]
            order = sorted(volumes)
            low = high = max(range(len(order)), key=lambda i: (volumes[order[i]], -i))
            poc, inside, total = order[low], volumes[order[low]], sum(volumes.values())
            while inside < 0.7 * total:
                below = volumes[order[low - 1]] if low > 0 else -1
                above = volumes[order[high + 1]] if high + 1 < len(order) else -1
                if above > below:
                    high += 1
                else:
                    low -= 1
                inside += max(above, below)
            return 2 ** ((poc + 0.5) / steps), 2 ** (order[low] / steps), 2 ** ((order[high] + 1) / steps)

        values = {t: profile(t) for t in wanted}
        for i, name in enumerate(("point_of_control", "value_area_low", "value_area_high")):
            out[f"{name}_distance_{n}_{steps}"] = at_rows(lambda t: c[t] / values[t][i] - 1)

    day = times // 86_400_000
    levels = {}
    for t in wanted:
        earlier = [d for d in np.unique(day[: t + 1]) if d < day[t]]
        # The day in which the series begins counts only from its beginning on.
        earlier = [d for d in earlier if d != day[0] or times[0] % 86_400_000 == 0]
        if not earlier:
            levels[t] = [NAN] * 15
            continue
        of = day == earlier[-1]
        H, L, C = h[of].max(), l[of].min(), c[of][-1]
        P = (H + L + C) / 3
        classic = [P, 2 * P - L, P + H - L, H + 2 * (P - L), 2 * P - H, P - (H - L), L - 2 * (H - P)]
        widths = [1.1 * (H - L) / x for x in (12, 6, 4, 2)]
        levels[t] = classic + [C + x for x in widths] + [C - x for x in widths]
    names = ["pivot"] + [f"pivot_{x}{i}" for x in "rs" for i in (1, 2, 3)]
    names += [f"camarilla_{x}{i}" for x in "rs" for i in (1, 2, 3, 4)]
    for i, name in enumerate(names):
        out[f"{name}_distance"] = at_rows(lambda t: c[t] / levels[t][i] - 1)
    return out


MADE, REAL = [0, 2, 4, *range(5, 240, 11)], list(range(7, 2000, 83))
golden_bars.write(
    lambda bars: structure(bars, MADE if len(bars) == 240 else REAL), "structure", MADE, REAL
)
