"""Loads an exported SavedModel with TensorFlow and runs both signatures on the examples of a split.

usage: python check_model.py SAVED_MODEL_FOLDER TFRECORD_FILE FEATURE... ; prints {default: [...], examples: [...]} as JSON
"""
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

folder, file, *columns = sys.argv[1:]
scales = {name: float(scale) for name, scale in (c.rsplit("=", 1) for c in columns)}
kind = "GZIP" if open(file, "rb").read(2) == b"\x1f\x8b" else ""
records = [r.numpy() for r in tf.data.TFRecordDataset(file, compression_type=kind)]


def value(record, name):
    feature = tf.train.Example.FromString(record).features.feature[name]
    return (list(feature.float_list.value) or list(feature.int64_list.value))[0]


rows = np.array([[value(r, name) * scale for name, scale in scales.items()] for r in records], dtype=np.float32)
model = tf.saved_model.load(folder)
default, examples = model.signatures["serving_default"], model.signatures["serving_examples"]
name = next(iter(default.structured_input_signature[1]))
first = lambda outputs: next(iter(outputs.values())).numpy().tolist()  # noqa: E731
print(json.dumps({"default": first(default(**{name: tf.constant(rows)})), "examples": first(examples(examples=tf.constant(records)))}))
