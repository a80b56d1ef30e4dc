"""Reference of the golden test: the same models, weights and batches in Python's TensorFlow.

Reads one JSON document from standard input, writes one to standard output. Logical replicas are contiguous parts of a
batch: each normalises by its own rows, gradients are summed with the mean over the whole batch, and moving statistics
are averaged, weighted by rows.
"""
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
import tf_keras as keras


class TfjsAdam:
    """Adam as TensorFlow.js has it: epsilon beside the bias-corrected root (Keras puts it beside the uncorrected one)."""

    def __init__(self, learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        self.learning_rate, self.beta_1, self.beta_2, self.epsilon = learning_rate, beta_1, beta_2, epsilon
        self.steps = 0
        self.moments = {}

    def apply_gradients(self, pairs):
        self.steps += 1
        for gradient, variable in pairs:
            key = variable.ref()
            first, second = self.moments.get(key, (tf.zeros_like(variable), tf.zeros_like(variable)))
            first = first * self.beta_1 + gradient * (1 - self.beta_1)
            second = second * self.beta_2 + tf.square(gradient) * (1 - self.beta_2)
            self.moments[key] = (first, second)
            corrected_first = first / (1 - self.beta_1**self.steps)
            corrected_second = second / (1 - self.beta_2**self.steps)
            variable.assign_sub(self.learning_rate * corrected_first / (tf.sqrt(corrected_second) + self.epsilon))


OPTIMIZERS = {"sgd": lambda: keras.optimizers.SGD(0.1), "adam": lambda: TfjsAdam(0.01)}


def build(batch_norm):
    layers = [keras.layers.Dense(16, activation="relu", name="hidden")]
    if batch_norm:
        layers.append(keras.layers.BatchNormalization(name="norm"))
    layers.append(keras.layers.Dense(5, activation="softmax", name="out"))
    model = keras.Sequential(layers)
    model.build((None, 20))
    return model


def train(case, inputs, targets, batch_size):
    model = build(case["batchNorm"])
    named = {variable.name.removesuffix(":0"): variable for variable in model.weights}
    for name, value in case["weights"].items():
        named[name].assign(np.array(value, np.float32))
    optimizer = OPTIMIZERS[case["optimizer"]]()
    loss_of_rows = keras.losses.CategoricalCrossentropy(reduction="none")
    losses = []
    for start in range(0, len(inputs), batch_size):
        rows = min(batch_size, len(inputs) - start)
        statistics = [variable.numpy() for variable in model.non_trainable_weights]
        averaged = [np.zeros_like(value) for value in statistics]
        gradients, loss = None, 0.0
        for replica in range(case["replicas"]):
            first = start + replica * rows // case["replicas"]
            last = start + (replica + 1) * rows // case["replicas"]
            if first == last:
                continue
            for variable, value in zip(model.non_trainable_weights, statistics):
                variable.assign(value)
            with tf.GradientTape() as tape:
                part = tf.reduce_sum(loss_of_rows(targets[first:last], model(inputs[first:last], training=True))) / rows
            own = tape.gradient(part, model.trainable_weights)
            gradients = own if gradients is None else [total + gradient for total, gradient in zip(gradients, own)]
            loss += float(part)
            averaged = [total + variable.numpy() * np.float32((last - first) / rows) for total, variable in zip(averaged, model.non_trainable_weights)]
        optimizer.apply_gradients(zip(gradients, model.trainable_weights))
        for variable, value in zip(model.non_trainable_weights, averaged):
            variable.assign(value)
        losses.append(loss)
    return {"weights": {name: variable.numpy().tolist() for name, variable in named.items()}, "losses": losses}


def measure(targets, outputs):
    values = {}
    for name, metric in {"precision": keras.metrics.Precision(), "recall": keras.metrics.Recall(), "auc": keras.metrics.AUC()}.items():
        metric.update_state(targets, outputs)
        values[name] = float(metric.result())
    return values


request = json.load(sys.stdin)
x = np.array(request["x"], np.float32)
y = np.array(request["y"], np.float32)
json.dump(
    {
        "cases": [train(case, x, y, request["batchSize"]) for case in request["cases"]],
        "metrics": measure(np.array(request["binary"]["targets"]), np.array(request["binary"]["outputs"])),
    },
    sys.stdout,
)
