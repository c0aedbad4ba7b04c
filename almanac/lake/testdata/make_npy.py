#!/usr/bin/env python3
"""Makes the .npy files beside it with NumPy, or compares a matrix folder with them:
make_npy.py [FOLDER]"""
import json
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
VALUES = np.asfortranarray(np.array([[1.5, -0.0], [np.nan, 3.0e38], [2.0**-149, -7.25]], "<f4"))
INDEX = np.array([-1, 0, 1704067200000], "<i8")


def make():
    np.lib.format.write_array(open(HERE / "values.npy", "wb"), VALUES, version=(1, 0))
    np.lib.format.write_array(open(HERE / "values_v2.npy", "wb"), VALUES, version=(2, 0))
    np.lib.format.write_array(open(HERE / "values_c_order.npy", "wb"),
                              np.ascontiguousarray(VALUES), version=(1, 0))
    np.lib.format.write_array(open(HERE / "index.npy", "wb"), INDEX, version=(1, 0))


def check(folder):
    values = np.load(folder / "values.npy", mmap_mode="r")
    index = np.load(folder / "index.npy", mmap_mode="r")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert values.flags.f_contiguous and values.dtype == "<f4", values.dtype
    assert values.tobytes("F") == VALUES.tobytes("F"), values
    assert index.dtype == "<i8" and (index == INDEX).all(), index
    assert manifest["rows"] == 3 and len(manifest["columns"]) == 2
    print("NumPy reads the same values")


if len(sys.argv) > 1:
    check(pathlib.Path(sys.argv[1]))
else:
    make()
