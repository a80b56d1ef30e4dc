"""Writes keras-tuner-golden.json: what KerasTuner, CPython, SciPy and scikit-learn say, for the tests of this library.

Needs: python -m pip install keras-tuner scipy scikit-learn tensorflow-cpu
Run:   python keras-tuner-golden.py    (its versions go into the file, under "made_by")
"""
import json
import os
import platform
import random
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras  # noqa: E402
import keras_tuner as kt  # noqa: E402
import numpy as np  # noqa: E402
import scipy.stats  # noqa: E402
import sklearn.tree  # noqa: E402
from keras_tuner.src.engine import metrics_tracking  # noqa: E402
from keras_tuner.src.engine.hyperparameters import hp_types  # noqa: E402
from keras_tuner.src.tuners.gridsearch import GridSearchOracle  # noqa: E402
from keras_tuner.src.tuners.hyperband import HyperbandOracle  # noqa: E402
from keras_tuner.src.tuners.randomsearch import RandomSearchOracle  # noqa: E402

OBJECTIVE = kt.Objective("score", "min")


def spaces():
    """name -> HyperParameters"""
    plain = kt.HyperParameters()
    plain.Float("lr", 1e-4, 0.1, sampling="log")
    plain.Int("u", 32, 512, step=32)
    plain.Choice("a", ["x", "y", "z"])
    plain.Boolean("b")

    mixed = kt.HyperParameters()
    mixed.Choice("model", ["mlp", "cnn"])
    with mixed.conditional_scope("model", ["mlp"]):
        mixed.Int("layers", 1, 3)
        with mixed.conditional_scope("layers", [2, 3]):
            mixed.Float("dropout", 0, 0.5, step=0.25, default=0.25)
    with mixed.conditional_scope("model", ["cnn"]):
        mixed.Choice("kernel", [3, 5, 7], default=5)
        mixed.Boolean("pool", default=True)
    mixed.Fixed("é/日本", 1.5)
    mixed.Choice("__proto__", [1.0, 2.0])

    tiny = kt.HyperParameters()
    tiny.Choice("a", [1, 2, 3])
    tiny.Boolean("b")

    samples = kt.HyperParameters()
    samples.Float("width", -3.0, 0.7)
    samples.Int("size", 3, 900, sampling="log")
    samples.Float("rate", 1e-3, 10.0, step=10, sampling="log", default=0.5)

    powers = kt.HyperParameters()
    powers.Int("batch", 2, 32, step=2, sampling="log", default=8)
    powers.Float("late", 0.1, 0.9, sampling="reverse_log")
    powers.Int("deep", 1, 100, sampling="reverse_log")
    return {"plain": plain, "mixed": mixed, "tiny": tiny, "samples": samples, "powers": powers}


def parameters():
    yield hp_types.Float("p", 0.0, 1.0)
    yield hp_types.Float("p", -3.5, 2.25)
    yield hp_types.Float("p", 0.0, 1.0, step=0.1)
    yield hp_types.Float("p", 0.0, 1.0, step=0.3)
    yield hp_types.Float("p", 2.0, 2.0)
    yield hp_types.Float("p", 1e-5, 1.0, sampling="log")
    yield hp_types.Float("p", 1e-5, 1.0, sampling="reverse_log")
    yield hp_types.Float("p", 0.001, 10.0, step=10, sampling="log")
    yield hp_types.Float("p", 1.0, 9.0, step=2, sampling="reverse_log")
    yield hp_types.Int("p", 1, 10)
    yield hp_types.Int("p", 6, 13, step=3)
    yield hp_types.Int("p", -5, -5)
    yield hp_types.Int("p", 1, 1000, sampling="log")
    yield hp_types.Int("p", 1, 1000, sampling="reverse_log")
    yield hp_types.Int("p", 2, 32, step=2, sampling="log")
    yield hp_types.Int("p", 1, 81, step=3, sampling="reverse_log")
    yield hp_types.Choice("p", ["a", "b", "c"])
    yield hp_types.Choice("p", [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5], default=2.5)
    yield hp_types.Choice("p", list(range(10000)))
    yield hp_types.Boolean("p")
    yield hp_types.Fixed("p", "v")


def parameter_table():
    draw = random.Random(7)
    probabilities = [0.0, 0.5, 0.25, 1 - 2**-53] + [draw.random() for _ in range(20)]
    for hp in parameters():
        values = [hp.prob_to_value(p) for p in probabilities]
        config = hp.get_config()
        rows = [[p, v, hp.value_to_prob(v)] for p, v in zip(probabilities, values)]
        text = json.dumps({"space": [{"class_name": type(hp).__name__, "config": config}], "values": {}})
        yield {"json": text, "rows": rows, "values": list(hp.values)[:40]}


def oracle_of(cls, hps, **options):
    oracle = cls(objective=OBJECTIVE, hyperparameters=hps.copy(), **options)
    oracle.verbose = 0
    oracle._set_project_dir(tempfile.mkdtemp(), "golden")
    return oracle


def end(oracle, trial, score):
    oracle.update_trial(trial.trial_id, {"score": score})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)


def run(oracle, score_of, workers=1, limit=10**9):
    """[values, score] of each trial in order of suggestion; workers ask in turn, and end in the order in which they asked."""
    told, running, stopped = [], [], False
    while True:
        while not stopped and len(running) < workers and len(told) < limit:
            trial = oracle.create_trial(f"worker{len(told)}")
            if trial.status != "RUNNING":
                stopped = trial.status == "STOPPED"
                break
            score = score_of(trial.hyperparameters.values, len(told))
            told.append([dict(trial.hyperparameters.values), score])
            running.append((trial, score))
        if not running:
            return told
        end(oracle, *running.pop(0))


def scrambled(values, number):
    """A score that epochs make better, with ties."""
    base = (number * 7919) % 101
    return round(base / (1 + values.get("tuner/epochs", 0)), 3)


def schedules():
    for factor in (2, 3, 4, 5, 10):
        for epochs in (1, 2, 3, 4, 5, 8, 9, 10, 16, 25, 27, 30, 32, 50, 64, 81, 100, 125, 128, 200, 243, 256, 343, 500, 512, 625, 729, 1000, 1024, 2187, 3125, 10000):
            oracle = HyperbandOracle(objective=OBJECTIVE, max_epochs=epochs, factor=factor)
            brackets = oracle._get_num_brackets()
            yield [epochs, factor, [[[oracle._get_size(b, r), oracle._get_epochs(b, r)] for r in range(b + 1)] for b in range(brackets)]]


def scores():
    nan, inf = float("nan"), float("inf")
    for direction, observations in [
        ("min", [[1, 0.5], [2, 0.25], [3, 0.3]]),
        ("max", [[1, 0.5], [2, 0.25], [3, 0.3]]),
        ("min", [[1, 0.5], [1, 0.1], [2, 0.25], [2, 0.45], [3, 0.3]]),
        ("min", [[3, 0.25], [1, 0.25], [2, 0.7]]),
        ("max", [[1, nan], [2, 0.25], [2, nan], [3, 0.3]]),
        ("min", [[0, 4.0]]),
    ]:
        history = metrics_tracking.MetricHistory(direction)
        for step, value in observations:
            history.update(value, step)
        yield {"direction": direction, "observations": [[s, None if v != v else v] for s, v in observations],
               "score": float(history.get_best_value()), "step": history.get_best_step()}


def directions():
    names = ["loss", "val_loss", "acc", "val_acc", "accuracy", "val_accuracy", "weighted_acc", "val_weighted_acc", "auc", "AUC", "precision", "recall", "mse", "MSE",
             "mae", "val_mae", "mean_squared_error", "MeanSquaredError", "mean_absolute_percentage_error", "RootMeanSquaredError", "root_mean_squared_error",
             "BinaryAccuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy", "top_k_categorical_accuracy", "TruePositives",
             "false_negatives", "FalsePositives", "true_negatives", "binary_crossentropy", "SparseCategoricalCrossentropy", "crossentropy", "ce", "hinge", "huber",
             "kl_divergence", "KLDivergence", "poisson", "LogCosh", "log_cosh", "dice", "tversky", "default_objective", "score", "lr", "perplexity"]
    return [[name, metrics_tracking.infer_metric_direction(name)] for name in names]


def set_orders():
    draw = random.Random(3)
    lists = [[0.5], [-1, -2, 0, 1], [i * 0.1 + 0.05 for i in range(10)], [draw.uniform(-1e6, 1e6) for _ in range(10)], [10.0**e for e in range(-5, 5)],
             [draw.randrange(1000) for _ in range(10)], [-draw.random() for _ in range(40)]]
    return [[values, list(set(values))] for values in lists]


def tree_shares():
    """A scikit-learn tree, its predictions integrated over the grid of all its thresholds."""
    draw = random.Random(11)
    rows = [[draw.random() for _ in range(3)] for _ in range(100)]
    # Steps with many rows on each side, so that no two splits are equally good.
    targets = [3.0 * (a > 0.3) + 2.0 * (a > 0.3) * (b > 0.6) - 1.0 * (a < 0.3) * (c > 0.45) for a, b, c in rows]
    tree = sklearn.tree.DecisionTreeRegressor(random_state=0).fit(rows, targets)
    edges = [sorted({0.0, 1.0} | {float(t) for f, t in zip(tree.tree_.feature, tree.tree_.threshold) if f == i}) for i in range(3)]
    cells = [list(zip(e, e[1:])) for e in edges]
    box = np.zeros([len(c) for c in cells])
    volume = np.zeros(box.shape)
    for index in np.ndindex(*box.shape):
        sides = [cells[i][k] for i, k in enumerate(index)]
        box[index] = tree.predict([[(low + high) / 2 for low, high in sides]])[0]
        volume[index] = np.prod([high - low for low, high in sides])
    mean = (box * volume).sum()
    total = ((box - mean) ** 2 * volume).sum()
    shares = []
    for i in range(3):
        others = tuple(j for j in range(3) if j != i)
        width = volume.sum(axis=others)
        shares.append(float((((box * volume).sum(axis=others) / width - mean) ** 2 * width).sum() / total))
    return {"rows": rows, "targets": targets, "leaves": int(tree.get_n_leaves()), "shares": shares}


def main():
    named = spaces()
    golden = {
        "made_by": {"keras_tuner": kt.__version__, "keras": keras.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__, "python": platform.python_version(), "libc": " ".join(platform.libc_ver())},
        "spaces": {name: json.dumps(hps.get_config()) for name, hps in named.items()},
        "parameters": list(parameter_table()),
        "mt19937": [[seed, [generator.random() for _ in range(700)][::233]] for seed in (0, 1, 42, 10000, 2**32 - 1, 2**32, 2**40 + 17, 2**53 - 1) for generator in [random.Random(seed)]],
        "random_search": [
            {"space": name, "seed": seed, "trials": [values for values, _ in run(oracle_of(RandomSearchOracle, named[name], seed=seed, max_trials=60), scrambled)]}
            for name, seed in [("plain", 42), ("plain", 7), ("mixed", 42), ("tiny", 5), ("samples", 11), ("powers", 12345)]
        ],
        "grid_search": [
            {"space": name, "trials": [values for values, _ in run(oracle_of(GridSearchOracle, named[name], max_trials=400), scrambled)]}
            for name in ("mixed", "tiny", "samples", "powers")
        ],
        "schedules": list(schedules()),
        "hyperband": [
            {"space": "plain", "seed": seed, "max_epochs": epochs, "factor": factor, "iterations": iterations, "workers": workers,
             "trials": run(oracle_of(HyperbandOracle, named["plain"], seed=seed, max_epochs=epochs, factor=factor, hyperband_iterations=iterations), scrambled, workers)}
            for seed, epochs, factor, iterations, workers in [(42, 81, 3, 1, 1), (42, 100, 3, 1, 1), (1, 16, 2, 2, 1), (3, 27, 3, 1, 4), (9, 9, 3, 2, 11)]
        ],
        "scores": list(scores()),
        "directions": directions(),
        "set_orders": set_orders(),
        "floats": [[x, json.dumps(x)] for x in (0.0, -0.0, 1.0, 0.1, 1e-4, 1.5e-5, 1e-7, 123456789.0, 1e15, 1e16, 1.25e22, -2.5, 5e-324, 1.7976931348623157e308, 1 / 3)],
        "tree": tree_shares(),
        "student": [[t, freedom, float(scipy.stats.t.cdf(t, freedom))] for freedom in (1, 2, 3, 4, 7, 10, 31) for t in (-40.0, -2.5, -0.3, 0.0, 1.0, 6.0)],
    }
    # Whole floats stay floats for Python only; the tests compare numbers.
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "keras-tuner-golden.json"), "w") as file:
        file.write("{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items()) + "\n}\n")


if __name__ == "__main__":
    sys.exit(main())
