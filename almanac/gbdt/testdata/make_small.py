"""Makes small.csv: 400 rows with NaN, zeros, a category, ties and a constant column.

The models beside it were recorded from this engine once it gave LightGBM 4.6.0.99's models bit for
bit on 33 larger cases; they guard the engine where those are absent:
ALMANAC_RECORD_GOLDEN=1 gbdt_test --gtest_filter='Golden*' writes them anew.
"""
import random

random.seed(6)
with open(__file__.replace("make_small.py", "small.csv"), "w") as out:
    out.write("label,weight,a,b,c,d,e\n")
    for _ in range(400):
        a, b = random.gauss(0, 1), random.choice([0.0, 0.0, random.expovariate(1)])
        c = float(random.choices(range(8), [40, 30, 10, 8, 5, 4, 2, 1])[0])
        d = "" if random.random() < 0.2 else "%.3g" % random.uniform(-2, 2)
        signal = a * abs(a) + (2 if c in (1, 4, 6) else 0) - b + (1 if d == "" else 0)
        label = round(max(0, min(2, signal / 2 + random.gauss(0.8, 0.4))))
        out.write("%d,%.3g,%.4g,%.4g,%g,%s,1.5\n" % (label, random.uniform(0.5, 2), a, b, c, d))
