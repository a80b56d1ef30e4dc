"""Reads event files with TensorFlow's and TensorBoard's own readers, and writes the same scalars with TensorFlow's own writer.

Reads one JSON document from standard input, writes one to standard output. Bytes are in hexadecimal, without wall times.
"""
import glob
import json
import os
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

RUNS = ["train", "validation"]


def without_time(event):
    event.ClearField("wall_time")
    return event.SerializeToString().hex()


def shown(event):
    if event.HasField("file_version"):
        return {"version": event.file_version}
    (value,) = event.summary.value
    return {
        "tag": value.tag,
        "step": event.step,
        "value": float(tf.make_ndarray(value.tensor)),
        "plugin": value.metadata.plugin_data.plugin_name,
        "timed": event.wall_time > 1e9,
        "bytes": without_time(event),
    }


def by_tensorflow(folder):
    return [shown(event) for path in sorted(glob.glob(os.path.join(folder, "*tfevents*"))) for event in tf.compat.v1.train.summary_iterator(path)]


def by_tensorboard(folder):
    from tensorboard.backend.event_processing import event_accumulator

    accumulator = event_accumulator.EventAccumulator(folder, size_guidance={event_accumulator.TENSORS: 0})
    accumulator.Reload()
    return {tag: [[event.step, float(tf.make_ndarray(event.tensor_proto))] for event in accumulator.Tensors(tag)] for tag in accumulator.Tags()["tensors"]}


def written(scalars):
    metadata = tf.compat.v1.SummaryMetadata(data_class=1)
    metadata.plugin_data.plugin_name = "scalars"
    with tempfile.TemporaryDirectory() as folder:
        with tf.summary.create_file_writer(folder).as_default():
            for scalar in scalars:
                tf.summary.write(scalar["tag"], tf.constant(scalar["value"], tf.float32), step=scalar["step"], metadata=metadata)
        (path,) = glob.glob(os.path.join(folder, "*"))
        return [without_time(event) for event in tf.compat.v1.train.summary_iterator(path) if not event.HasField("file_version")]


request = json.load(sys.stdin)
json.dump(
    {
        "tensorFlow": [{run: by_tensorflow(os.path.join(folder, run)) for run in RUNS} for folder in request["folders"]],
        "tensorBoard": [{run: by_tensorboard(os.path.join(folder, run)) for run in RUNS} for folder in request["folders"]] if request["tensorBoard"] else [],
        "written": written(request["scalars"]),
    },
    sys.stdout,
)
