"""Loads SavedModels as Python users do, runs their signatures, and prints what came out. For the interop tests.

Reads a JSON list of runs from standard input; prints a JSON list of results in the same order:
  {"kind": "signature", "directory": ..., "signature": ..., "inputs": {name: {"dtype", "shape", "values"}}}
      -> {"inputs": {name: [dtype, shape]}, "outputs": {name: {"shape", "values"}}}
  {"kind": "examples", "directory": ..., "signature": ..., "features": {name: {"dtype", "rows": [[...] or null, ...]}}}
      -> the same; a null row is an example without that feature
  {"kind": "bundle", "directory": ...} -> {"variables": {name: {"shape", "values"}}}
A run that fails gives {"error": message}.
"""
import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402


def array(value):
    return {"shape": list(value.shape), "values": np.asarray(value).astype("float64").ravel().tolist()}


def example(features, row):
    made = {}
    for name, feature in features.items():
        values = feature["rows"][row]
        if values is None:
            continue
        if feature["dtype"] == "float32":
            made[name] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
        elif feature["dtype"] == "int64":
            made[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        else:
            made[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[v.encode() for v in values]))
    return tf.train.Example(features=tf.train.Features(feature=made)).SerializeToString()


def call(directory, signature, inputs):
    function = tf.saved_model.load(directory).signatures[signature]
    taken = {name: [spec.dtype.name, spec.shape.as_list()] for name, spec in function.structured_input_signature[1].items()}
    return {"inputs": taken, "outputs": {name: array(value) for name, value in function(**inputs).items()}}


def run(request):
    directory = request["directory"]
    if request["kind"] == "bundle":
        reader = tf.train.load_checkpoint(os.path.join(directory, "variables", "variables"))
        return {"variables": {name: array(reader.get_tensor(name)) for name in reader.get_variable_to_shape_map()}}
    if request["kind"] == "signature":
        inputs = {name: tf.constant(np.array(i["values"], dtype=i["dtype"]).reshape(i["shape"])) for name, i in request["inputs"].items()}
        return call(directory, request["signature"], inputs)
    features = request["features"]
    count = len(next(iter(features.values()))["rows"])
    serialized = [example(features, row) for row in range(count)]
    return call(directory, request["signature"], {"examples": tf.constant(serialized)})


def safe(request):
    try:
        return run(request)
    except Exception as error:  # the caller asserts on it
        return {"error": f"{type(error).__name__}: {error}"}


json.dump([safe(request) for request in json.load(sys.stdin)], sys.stdout)
