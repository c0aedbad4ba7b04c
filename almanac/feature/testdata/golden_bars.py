"""The bars that golden values are made of: bars.csv, and a stretch of real ones."""
import pathlib
import subprocess

import pandas as pd

HERE = pathlib.Path(__file__).resolve().parent
REAL = HERE.parents[2].parent / "shared/data/crypto/spot_30m/BTCUSDT.csv.zst"
# Rows of the file; golden_file_for_test.h takes the same.
REAL_FIRST, REAL_COUNT = 40_000, 2_000


def made():
    bars = pd.read_csv(HERE / "bars.csv")
    bars.insert(0, "time", [3_600_000 * i for i in range(len(bars))])
    bars.insert(1, "known", bars.time + 3_600_000)
    return bars


def real():
    with subprocess.Popen(["zstd", "-dc", REAL], stdout=subprocess.PIPE) as unpacked:
        bars = pd.read_csv(unpacked.stdout)
    bars = bars.rename(columns={"timestamp_ms": "time"})
    bars = bars.iloc[REAL_FIRST : REAL_FIRST + REAL_COUNT].reset_index(drop=True)
    bars.insert(1, "known", bars.time + 1_800_000)
    return bars


def write(make, name, rows_of_made, rows_of_real):
    """make(bars) -> columns; the wanted rows of both go to NAME_golden.csv and NAME_golden_real.csv."""
    for bars, rows, file in (
        (made(), rows_of_made, f"{name}_golden.csv"),
        (real(), rows_of_real, f"{name}_golden_real.csv"),
    ):
        golden = pd.DataFrame(make(bars))
        golden.insert(0, "row", range(len(golden)))
        golden = golden[golden.row.isin(rows)]
        golden.to_csv(HERE / file, index=False, na_rep="nan", float_format="%.13g")
