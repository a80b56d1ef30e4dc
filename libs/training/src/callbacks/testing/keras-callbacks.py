"""Reference of the golden table: Keras's own callbacks, driven by scripted logs.

Reads one JSON document from standard input, writes one to standard output. The model has one weight, whose value is the
number of batches so far, so that a weight that comes back, or is saved, says of which moment it is.
"""
import json
import math
import os
import sys
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np

SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def number(value):
    return SPECIAL.get(value, value) if isinstance(value, str) else value


def logs_of(logs):
    return {name: number(value) for name, value in logs.items()}


def schedule_of(spec):
    if "table" in spec:
        return lambda epoch, rate: None if spec["table"][epoch] is None else float(spec["table"][epoch])
    return lambda epoch, rate: rate if epoch < spec["from"] else rate * spec["factor"]


def suffix_of(options):
    return "" if "filepath" not in options else ".weights.h5" if options.get("save_weights_only") else ".keras"


def make_callback(case):
    options = {name: number(value) for name, value in case["options"].items()}
    if "filepath" in options:
        options["filepath"] += suffix_of(options)
    if "schedule" in options:
        options["schedule"] = schedule_of(options["schedule"])
    return getattr(keras.callbacks, case["callback"])(**options)


def make_model():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, activation="sigmoid")])
    metrics = ["acc", "mae", keras.metrics.AUC(name="auc"), keras.metrics.Precision(name="precision"), keras.metrics.Recall(name="recall")]
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", metrics=metrics)
    # The metrics, which a callback asks for their direction, are made by the first batch.
    model.train_on_batch(np.ones((1, 1)), np.ones((1, 1)))
    return model


def run(model, case):
    outcome = {"refused": False, "warned": False, "epochs": [], "saved": [], "weight": None}
    model.optimizer.learning_rate = case["rate"]
    counter = 0
    weight = lambda: float(model.get_weights()[0][0][0])
    save = lambda path, overwrite=True: outcome["saved"].append([path.removesuffix(suffix_of(case["options"])), weight()])
    model.save = save
    model.save_weights = save
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        try:
            callback = make_callback(case)
            callback.set_model(model)
            model.stop_training = False
            callback.on_train_begin()
            for epoch, script in enumerate(case["epochs"]):
                callback.on_epoch_begin(epoch)
                for batch, batch_logs in enumerate(script["batches"]):
                    counter += 1
                    model.set_weights([np.full((1, 1), counter, np.float32)])
                    callback.on_train_batch_begin(batch)
                    callback.on_train_batch_end(batch, logs_of(batch_logs))
                    if model.stop_training:
                        break
                logs = logs_of(script["logs"])
                callback.on_epoch_end(epoch, logs)
                rate = float(np.array(model.optimizer.learning_rate))
                outcome["epochs"].append({"batches": counter, "rate": rate, "logged": logs.get("learning_rate"), "stop": bool(model.stop_training)})
                if model.stop_training:
                    break
            callback.on_train_end()
            outcome["weight"] = weight()
        except (ValueError, KeyError):
            outcome["refused"] = True
        outcome["warned"] = any("available" in str(warning.message) for warning in caught)
    return outcome


def directions():
    found = {}
    for name in dir(keras.metrics):
        kind = getattr(keras.metrics, name)
        if not isinstance(kind, type):
            continue
        for options in ({}, {"num_classes": 2}, {"num_classes": 2, "target_class_ids": [0]}, {"specificity": 0.5}, {"sensitivity": 0.5}, {"recall": 0.5}, {"precision": 0.5}):
            try:
                metric = kind(**options)
            except Exception:
                continue
            if getattr(metric, "_direction", None) is not None:
                found[metric.name] = {"up": "max", "down": "min"}[metric._direction]
            break
    return found


request = json.load(sys.stdin)
answer, sys.stdout = sys.stdout, sys.stderr  # Keras prints what it decides.
model = make_model()
json.dump(
    {
        "outcomes": [run(model, case) for case in request["cases"]],
        "directions": directions(),
        "names": [name.format(**{field: float(value) if field == "x" else value for field, value in values.items()}) for name, values in request["names"]],
    },
    answer,
    allow_nan=False,
)
