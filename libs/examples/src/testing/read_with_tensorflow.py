"""Reads TFRecord files of tf.Examples as a user of tf.data would, for golden tests.

stdin: JSON {files: [path], gzip, batchSize, repeat, features: {name: {dtype, shape: [..] or null for any number of values}}}
stdout: JSON, one object a batch: {name: {values, rowLengths or null}}; int64 as decimal text, strings as base64.
"""
import base64
import json
import sys

import tensorflow as tf

request = json.load(sys.stdin)
dtypes = {"float": tf.float32, "int64": tf.int64, "bytes": tf.string}
spec = {
    name: tf.io.RaggedFeature(dtypes[feature["dtype"]])
    if feature["shape"] is None
    else tf.io.FixedLenFeature(feature["shape"], dtypes[feature["dtype"]])
    for name, feature in request["features"].items()
}


def plain(values):
    if values.dtype == tf.string:
        return [base64.b64encode(value).decode() for value in values.numpy().reshape(-1)]
    if values.dtype == tf.int64:
        return [str(value) for value in values.numpy().reshape(-1)]
    return [float(value) for value in values.numpy().reshape(-1)]


dataset = tf.data.TFRecordDataset(request["files"], compression_type="GZIP" if request["gzip"] else "")
dataset = dataset.repeat(request["repeat"]).batch(request["batchSize"])
batches = []
for serialized in dataset:
    parsed = tf.io.parse_example(serialized, spec)
    batches.append({
        name: {
            "values": plain(value.flat_values if isinstance(value, tf.RaggedTensor) else value),
            "rowLengths": value.row_lengths().numpy().tolist() if isinstance(value, tf.RaggedTensor) else None,
        }
        for name, value in parsed.items()
    })
json.dump(batches, sys.stdout)
