#!/usr/bin/env python3
"""Writes arch.json beside itself: p-values of many-model tests by the Python package arch.

Needs numpy and arch (https://github.com/bashtage/arch; 7.x or later). Its draws differ from ours, so
the tests compare p-values to within what so many replicates leave uncertain.

arch's SPA does not divide by the standard deviations (its studentize option changes only which poor
models are centred), so that its "upper" p-value is White's reality check; Hansen's studentised
p-values are computed here from the paper.
"""
import json
import pathlib

import numpy as np
from arch.bootstrap.multiple_comparison import MCS, SPA

BLOCK = 5


def resample(random, instants):
    index = np.empty(instants, dtype=int)
    start = random.random(instants) < 1 / BLOCK
    fresh = random.integers(0, instants, instants)
    for i in range(instants):
        index[i] = fresh[i] if i == 0 or start[i] else (index[i - 1] + 1) % instants
    return index


def hansen(d, replicates, random):
    """Hansen 2005, equations of section 3: lower, consistent and upper p-value."""
    n = len(d)
    mean = d.mean(axis=0)
    centred = d - mean
    q = 1 / BLOCK
    variance = (centred**2).mean(axis=0)
    for i in range(1, n):
        kappa = (n - i) / n * (1 - q) ** i + i / n * (1 - q) ** (n - i)
        variance += 2 * kappa * (centred[: n - i] * centred[i:]).sum(axis=0) / n
    w = np.sqrt(variance)
    statistic = max(0, (np.sqrt(n) * mean / w).max())
    poor = mean < -w / np.sqrt(n) * np.sqrt(2 * np.log(np.log(n)))
    centres = {"lower": np.maximum(mean, 0), "consistent": np.where(poor, 0, mean), "upper": mean}
    reached = dict.fromkeys(centres, 0)
    for _ in range(replicates):
        draw = d[resample(random, n)].mean(axis=0)
        for name, centre in centres.items():
            reached[name] += max(0, (np.sqrt(n) * (draw - centre) / w).max()) >= statistic
    return {name: count / replicates for name, count in reached.items()}


def main():
    random = np.random.default_rng(5)
    instants, models = 300, 8
    common = random.standard_normal(instants)
    edge = [-0.05, 0.02, 0.1, 0.14, 0.17, -0.5, 0.1, 0.05]
    losses = np.empty((instants, models))
    for k in range(models):
        noise = random.standard_normal(instants)
        for i in range(1, instants):
            noise[i] += 0.3 * noise[i - 1]
        losses[:, k] = np.round(noise + 0.5 * common - edge[k], 6)
    golden = {"block_length": BLOCK, "losses": losses.T.tolist()}
    # The benchmark's loss is 0.
    spa = SPA(np.zeros(instants), losses, block_size=BLOCK, reps=20000, seed=1)
    spa.compute()
    golden["reality_check"] = float(spa.pvalues["upper"])
    golden["spa"] = hansen(-losses, 20000, random)
    for name, method in (("max", "max"), ("range", "R")):
        mcs = MCS(losses, size=0.1, block_size=BLOCK, reps=10000, method=method, seed=2)
        mcs.compute()
        golden["mcs_" + name] = mcs.pvalues.sort_index()["Pvalue"].tolist()
    path = pathlib.Path(__file__).with_name("arch.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


main()
