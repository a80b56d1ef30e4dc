"""A KerasTuner worker as anybody writes one. KERASTUNER_ORACLE_IP, _PORT and KERASTUNER_TUNER_ID point it at a tuner; nothing in here knows which.

usage: python keras_tuner_worker.py TUNER_CLASS PROJECT_FOLDER EPOCHS
Prints a line for each epoch it begins; when the search has ended the trials as TFX's Tuner writes them into tuner_results.json, and "done".
"""
import json
import sys

import keras
import keras_tuner
import numpy as np


def build(hp):
    model = keras.Sequential([keras.Input((4,))])
    for i in range(hp.Int("layers", 1, 2)):
        model.add(keras.layers.Dense(hp.Int(f"units_{i}", 2, 8, step=2), activation=hp.Choice("activation", ["relu", "tanh"])))
    if hp.Boolean("dropout"):
        with hp.conditional_scope("dropout", [True]):
            model.add(keras.layers.Dropout(hp.Float("rate", 0.1, 0.5)))
    model.add(keras.layers.Dense(1))
    model.compile(optimizer=keras.optimizers.SGD(hp.Float("learning_rate", 1e-4, 1e-2, sampling="log"), clipnorm=1.0), loss="mse")
    return model


class Say(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        print(f"epoch {epoch}", flush=True)


def main():
    name, folder, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3])
    limits = {"max_epochs": epochs, "factor": 2} if name == "Hyperband" else {"max_trials": 100}
    tuner = getattr(keras_tuner, name)(build, objective=keras_tuner.Objective("val_loss", "min"), directory=folder, project_name="project", seed=1, **limits)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(64, 4)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    tuner.search(x[:48], y[:48], validation_data=(x[48:], y[48:]), epochs=epochs, verbose=0, callbacks=[Say()])
    best = tuner.oracle.get_best_trials(100)
    print("results", json.dumps([{"trial_id": trial.trial_id, "score": trial.score, **trial.hyperparameters.values} for trial in best]), flush=True)
    print("done", flush=True)


main()
