#!/usr/bin/env python3
"""Writes temporal_golden.csv and temporal_golden_real.csv: calendar features with pandas and zoneinfo.

The US sessions are not here: their calendar is tested in almanac/market.
Run in this folder: ./make_temporal_golden.py (Python 3.9, pandas 1.5, tz database).
"""
import numpy as np
import pandas as pd

import golden_bars


def temporal(bars):
    at = pd.to_datetime(bars.known, unit="ms", utc=True).dt
    opened = pd.to_datetime(bars.time, unit="ms", utc=True).dt
    day = (bars.known % 86_400_000) / 86_400_000
    out = {}
    for name, turn in {
        "time_of_day": day,
        "day_of_week": at.weekday / 7,
        "day_of_month": (at.day - 1) / at.days_in_month,
        "month_of_year": (at.month - 1) / 12,
        "day_of_year": (at.dayofyear - 1) / np.where(at.is_leap_year, 366, 365),
    }.items():
        out[name + "_sin"] = np.sin(2 * np.pi * turn)
        out[name + "_cos"] = np.cos(2 * np.pi * turn)
    for hour in (0, 13, 23):
        out[f"hour_is_{hour}"] = (at.hour == hour).astype(int)
    for weekday in (0, 6):
        out[f"weekday_is_{weekday}"] = (at.weekday == weekday).astype(int)
    for month in (1, 12):
        out[f"month_is_{month}"] = (at.month == month).astype(int)
    out["weekend"] = (at.weekday >= 5).astype(int)
    out["hours_since_week_open"] = 24 * (at.weekday + day)
    out["days_since_month_open"] = at.day - 1 + day

    def office(zone, opens, closes):
        local = at.tz_convert(zone).dt
        return ((local.weekday < 5) & (local.hour >= opens) & (local.hour < closes)).astype(int)

    out["asia_session"] = office("Asia/Tokyo", 9, 18)
    out["london_session"] = office("Europe/London", 8, 17)
    out["new_york_session"] = office("America/New_York", 8, 17)
    out["london_new_york_overlap"] = out["london_session"] * out["new_york_session"]

    gap = np.full(len(bars), np.nan)
    for t in range(1, len(bars)):
        gap[t] = 0 if bars.time[t] > bars.known[t - 1] else gap[t - 1] + 1
    if not np.isnan(gap).all():
        out["bars_since_gap"] = gap
    for name, period in (
        ("day", opened.strftime("%Y-%m-%d")),
        ("week", opened.strftime("%G-%V")),
        ("month", opened.strftime("%Y-%m")),
    ):
        first = bars.open.groupby(period).transform("first")
        known = period != period[0]
        if known.any():
            out[f"return_since_{name}_open"] = (bars.close / first - 1).where(known)
    return out


golden_bars.write(temporal, "temporal", range(0, 240, 7), range(0, 2000, 29))
