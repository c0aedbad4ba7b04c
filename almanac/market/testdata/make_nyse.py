#!/usr/bin/env python3
"""Writes nyse.csv: what pandas_market_calendars says of the New York Stock Exchange.

One line a weekday without a regular session: date,closed,, or date,short,open,close (UTC), and one
line for the first full session after every change of New York's clocks: date,open,open,close.
Made with pandas_market_calendars 5.3.2 (github.com/rsheftel/pandas_market_calendars).
"""
import pathlib

import pandas
from pandas_market_calendars.calendars.nyse import NYSEExchangeCalendar

schedule = NYSEExchangeCalendar().schedule("1971-01-01", "2026-12-31")
lines = []
for day in pandas.bdate_range("1971-01-01", "2026-12-31"):
    if day not in schedule.index:
        lines.append(f"{day.date()},closed,,")
offset = None
for day, row in schedule.iterrows():
    if day.year < 1990:
        continue  # its hours before that are incomplete
    opens, closes = row.market_open, row.market_close
    local = closes.tz_convert("America/New_York")
    minutes = (closes - opens).total_seconds() / 60
    if minutes <= 360:  # delays and halts of a few minutes are not sessions of their own
        kind = "short"
    elif local.utcoffset() != offset:
        kind = "open"
        offset = local.utcoffset()
    else:
        continue
    lines.append(f"{day.date()},{kind},{opens:%H:%M},{closes:%H:%M}")
path = pathlib.Path(__file__).with_name("nyse.csv")
path.write_text("date,kind,open,close\n" + "\n".join(sorted(lines)) + "\n")
