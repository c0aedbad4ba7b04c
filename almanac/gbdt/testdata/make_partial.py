"""Makes sklearn.model.txt and partial.csv: scikit-learn's partial dependence, and a model of its own
as a file of ours.

scikit-learn's HistGradientBoostingRegressor is trained on small.csv and written in LightGBM's text
format; partial.csv holds what its partial_dependence gives, by both methods, for one column and for
two ("brute" of a function that adds the trees' values up, so that no baseline is in it). Made with
scikit-learn 1.2.1.
"""
import os

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.inspection import partial_dependence

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = np.genfromtxt(os.path.join(HERE, "small.csv"), delimiter=",", skip_header=1)
LABEL, X = TABLE[:, 0], TABLE[:, 2:6]  # a, b, c, d


def tree_text(index, nodes):
    inner = [i for i in range(len(nodes)) if not nodes[i]["is_leaf"]]
    leaf = [i for i in range(len(nodes)) if nodes[i]["is_leaf"]]
    # Parents before children: sklearn lists them in that order.
    number = {node: place for place, node in enumerate(inner)}
    number.update({node: ~place for place, node in enumerate(leaf)})
    pick = lambda field, of: [nodes[i][field] for i in of]
    line = lambda key, values: "%s=%s\n" % (key, " ".join(str(v) for v in values))
    missing = [10 if nodes[i]["missing_go_to_left"] else 8 for i in inner]
    return ("Tree=%d\nnum_leaves=%d\nnum_cat=0\n" % (index, len(leaf))
            + line("split_feature", pick("feature_idx", inner))
            + line("split_gain", pick("gain", inner))
            + line("threshold", ["%.17g" % t for t in pick("num_threshold", inner)])
            + line("decision_type", missing)
            + line("left_child", [number[n] for n in pick("left", inner)])
            + line("right_child", [number[n] for n in pick("right", inner)])
            + line("leaf_value", ["%.17g" % v for v in pick("value", leaf)])
            + line("leaf_weight", pick("count", leaf)) + line("leaf_count", pick("count", leaf))
            + line("internal_value", [0] * len(inner)) + line("internal_weight", [0] * len(inner))
            + line("internal_count", pick("count", inner))
            + "is_linear=0\nshrinkage=1\n\n\n")


class Raw(HistGradientBoostingRegressor):
    def predict(self, X):
        return super().predict(X) - float(np.ravel(self._baseline_prediction)[0])


model = Raw(max_iter=12, max_leaf_nodes=7, min_samples_leaf=10, random_state=0,
            early_stopping=False).fit(X, LABEL)
with open(os.path.join(HERE, "sklearn.model.txt"), "w") as out:
    out.write("tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
              "max_feature_idx=3\nobjective=regression\nfeature_names=a b c d\n"
              "feature_infos=none none none none\ntree_sizes=0\n\n")
    for i, (tree,) in enumerate(model._predictors):
        out.write(tree_text(i, tree.nodes))
    out.write("end of trees\n")
with open(os.path.join(HERE, "partial.csv"), "w") as out:
    out.write("method,columns,x,y,value\n")
    for method in ["brute", "recursion"]:
        for columns, points in [([0], 15), ([2], 15), ([0, 1], 6)]:
            found = partial_dependence(model, X, columns, grid_resolution=points, method=method,
                                       kind="average")
            axes, values = found["values"], found["average"][0]
            for place in np.ndindex(*values.shape):
                at = [axes[i][place[i]] for i in range(len(columns))] + [0.0]
                out.write("%s,%s,%.17g,%.17g,%.17g\n" % (method, "".join("abcd"[c] for c in columns),
                                                         at[0], at[1], values[place]))
