import { type Tfjs, activate, loadTfjs } from './tfjs';

/** Loads the plain JavaScript backend, without its advice to install tfjs-node. */
export async function loadCpu(): Promise<Tfjs> {
  const tf = loadTfjs();
  await activate(tf, 'cpu');
  quietFirstWrite(tf);
  return tf;
}

/**
 * The backend prints a banner at its first write when IS_NODE holds. The first write happens here with the flag down; afterwards it is
 * up again, because tfjs-data reads local files by it.
 */
function quietFirstWrite(tf: Tfjs): void {
  const isNode = tf.env().getBool('IS_NODE');
  tf.env().set('IS_NODE', false);
  try {
    tf.tidy(() => { tf.scalar(0).dataSync(); });
  } finally {
    tf.env().set('IS_NODE', isNode);
  }
}
