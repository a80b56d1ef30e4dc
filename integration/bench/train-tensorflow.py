"""Trains the MLP 784-512-512-10 by TensorFlow's own loop, as one process of one or several.

usage: train-tensorflow.py ROWS PIPELINE
  ROWS      rows of the global batch
  PIPELINE  dataset: an iterator over a (distributed) tf.data pipeline; resident: one batch that lies in memory

With several processes TF_CONFIG names them, and MultiWorkerMirroredStrategy with ring collectives joins them. Prints {"ready": ...}, then
{"value": milliseconds} for each line `measure STEPS` on stdin.
"""
import json
import os
import sys
import time

import tensorflow as tf
import tf_keras

WARM_UP_STEPS = 20
DATASET_STEPS = 60

tf.config.threading.set_intra_op_parallelism_threads(1)
# The collective's ops wait on a thread of their own while others compute.
tf.config.threading.set_inter_op_parallelism_threads(2)


def choose_strategy():
    if "TF_CONFIG" not in os.environ:
        return tf.distribute.get_strategy()
    ring = tf.distribute.experimental.CommunicationImplementation.RING
    options = tf.distribute.experimental.CommunicationOptions(implementation=ring)
    return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)


def build_model():
    return tf_keras.Sequential([
        tf_keras.Input((784,)),
        tf_keras.layers.Dense(512, "relu"),
        tf_keras.layers.Dense(512, "relu"),
        tf_keras.layers.Dense(10),
    ])


def make_batches(strategy, rows, pipeline):
    """An endless iterator over what strategy.run takes."""
    count = rows * DATASET_STEPS
    x = tf.random.stateless_normal((count, 784), seed=(1, 2))
    y = tf.random.stateless_uniform((count,), seed=(3, 4), maxval=10, dtype=tf.int32)
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(rows, drop_remainder=True).repeat()
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    batches = iter(strategy.experimental_distribute_dataset(dataset.with_options(options)))
    if pipeline == "dataset":
        return batches
    first = next(batches)
    return iter(lambda: first, None)


def main():
    rows, pipeline = int(sys.argv[1]), sys.argv[2]
    if pipeline not in ("dataset", "resident"):
        sys.exit(f"the pipeline is dataset or resident, not {pipeline}")
    strategy = choose_strategy()
    with strategy.scope():
        model = build_model()
        optimizer = tf_keras.optimizers.SGD(0.01)
        optimizer.build(model.trainable_variables)
    batches = make_batches(strategy, rows, pipeline)

    def replica_step(x, y):
        with tf.GradientTape() as tape:
            # The mean over this replica's rows: gradients are summed over replicas as in the anchor; only the time counts.
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=model(x, training=True)))
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
        return loss

    @tf.function
    def step(x, y):
        return strategy.run(replica_step, args=(x, y))

    def train(steps):
        started = time.perf_counter()
        for _ in range(steps):
            loss = step(*next(batches))
        value = float(loss)  # the last step is over when its loss is here
        elapsed_ms = (time.perf_counter() - started) * 1e3
        if value != value:
            sys.exit("the loss is NaN")
        return elapsed_ms

    train(WARM_UP_STEPS)
    print(json.dumps({"ready": f"TensorFlow {tf.version.VERSION}, tf_keras {tf_keras.__version__}"}), flush=True)
    for line in sys.stdin:
        command, steps = line.split()
        if command != "measure":
            sys.exit(f"unknown command {line}")
        print(json.dumps({"value": train(int(steps))}), flush=True)
    sys.stdout.flush()
    os._exit(0)  # the strategy's threads would wait for peers that have left


main()
