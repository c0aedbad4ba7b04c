"""Records models of LightGBM itself on small.csv, for what the shared corpus does not cover.

    python3 make_lightgbm.py lib_lightgbm.so

Needs nothing but a LightGBM library (made with 4.6.0.99, one thread); each CASE.model.txt beside this
file is then what golden_test.cc expects of the case with that name.
"""
import ctypes
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BASE = "num_threads=1 deterministic=true force_col_wise=true verbosity=-1 "
CASES = {
    "goss": "objective=multiclass num_class=3 data_sample_strategy=goss top_rate=0.3 other_rate=0.2 "
            "learning_rate=0.3 num_iterations=9 num_leaves=7 seed=7",
    "dart": "objective=multiclass num_class=3 boosting=dart drop_rate=0.4 skip_drop=0.2 "
            "num_iterations=12 num_leaves=6 seed=11",
    "dart_xgboost": "objective=regression boosting=dart drop_rate=0.5 skip_drop=0.1 max_drop=3 "
                    "uniform_drop=true xgboost_dart_mode=true num_iterations=14 num_leaves=5",
    "monotone": "objective=regression monotone_constraints=1,-1,0,-1,0 monotone_penalty=0.5 "
                "lambda_l1=0.3 num_iterations=8 num_leaves=9 min_data_in_leaf=8",
    "bounded": "objective=binary monotone_constraints=1,0,0,1,0 categorical_feature=2 path_smooth=3 "
               "max_delta_step=0.4 min_gain_to_split=0.1 feature_fraction_bynode=0.6 seed=3 "
               "min_data_per_group=5 is_unbalance=true num_iterations=8 num_leaves=8",
    "penalised": "objective=multiclass num_class=3 monotone_constraints=-1,1,0,0,0 "
                 "monotone_penalty=1.5 bagging_fraction=0.7 bagging_freq=2 num_iterations=5 "
                 "num_leaves=10 max_depth=4 min_data_in_leaf=5",
}
ITERATIONS = "num_iterations="


def read():
    rows, labels = [], []
    with open(os.path.join(HERE, "small.csv")) as table:
        next(table)
        for line in table:
            fields = [float(f) if f else float("nan") for f in line.strip().split(",")]
            labels.append(fields[0])
            rows += fields[2:]
    return labels, rows


def main():
    library = ctypes.CDLL(sys.argv[1])
    library.LGBM_GetLastError.restype = ctypes.c_char_p
    labels, rows = read()

    def call(name, *arguments):
        if getattr(library, name)(*arguments) != 0:
            raise RuntimeError(library.LGBM_GetLastError())

    for case, text in CASES.items():
        parameters = (BASE + text).encode()
        data, booster = ctypes.c_void_p(), ctypes.c_void_p()
        count, width = len(labels), len(rows) // len(labels)
        call("LGBM_DatasetCreateFromMat", (ctypes.c_double * len(rows))(*rows), 1, count, width, 1,
             parameters, None, ctypes.byref(data))
        names = (ctypes.c_char_p * width)(*[bytes([c]) for c in b"abcde"[:width]])
        call("LGBM_DatasetSetFeatureNames", data, names, width)
        call("LGBM_DatasetSetField", data, b"label", (ctypes.c_float * count)(*labels), count, 0)
        call("LGBM_BoosterCreate", data, parameters, ctypes.byref(booster))
        rounds = [w[len(ITERATIONS):] for w in text.split() if w.startswith(ITERATIONS)]
        for _ in range(int(rounds[0])):
            call("LGBM_BoosterUpdateOneIter", booster, ctypes.byref(ctypes.c_int()))
        length = ctypes.c_int64()
        buffer = ctypes.create_string_buffer(1 << 20)
        call("LGBM_BoosterSaveModelToString", booster, 0, -1, 0, ctypes.c_int64(len(buffer)),
             ctypes.byref(length), buffer)
        with open(os.path.join(HERE, case + ".model.txt"), "wb") as out:
            out.write(buffer.value)


main()
