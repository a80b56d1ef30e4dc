/** A thread that makes suggestions: it holds replicas of studies and answers one question after the other. */
import { parentPort } from 'node:worker_threads';
import type { ThreadAnswer, ThreadCall, ToThread } from './messages';
import { StudyReplica } from './study-replica';

const replicas = new Map<string, StudyReplica>();
/** Why a replica could not be made or kept up: said to whoever asks. */
const broken = new Map<string, string>();

function take(message: ToThread): void {
  if (message.kind === 'CALL') {
    parentPort?.postMessage(answerOf(message.study, message.call) satisfies ThreadAnswer);
    return;
  }
  try {
    change(message);
  } catch (e) {
    broken.set(message.study, messageOf(e));
  }
}

function change(message: Exclude<ToThread, { readonly kind: 'CALL' }>): void {
  const { study } = message;
  switch (message.kind) {
    case 'OPEN':
      broken.delete(study);
      replicas.set(study, new StudyReplica(message.setup, () => performance.now()));
      return;
    case 'SET': return replicas.get(study)?.set(message.setup);
    case 'ENQUEUED': return replicas.get(study)?.enqueue(message.enqueued);
    case 'PUT': return replicas.get(study)?.put(message.trials);
    case 'MEASURED': return replicas.get(study)?.measured(message.number, message.measurement);
    case 'CLOSE':
      replicas.delete(study);
      broken.delete(study);
  }
}

function answerOf(study: string, call: ThreadCall): ThreadAnswer {
  const replica = replicas.get(study);
  const fault = broken.get(study);
  if (fault !== undefined || !replica) return { kind: 'FAILED', message: fault ?? `${study} is not open on this thread` };
  try {
    switch (call.kind) {
      case 'SUGGEST': return { kind: 'SUGGESTED', suggestions: replica.suggest(call.count) };
      case 'CHECK_STOP': return { kind: 'CHECKED', decision: replica.checkStop(call.number) };
    }
  } catch (e) {
    return { kind: 'FAILED', message: messageOf(e) };
  }
}

const messageOf = (e: unknown): string => (e instanceof Error ? e.message : String(e));

parentPort?.on('message', (messages: readonly ToThread[]) => messages.forEach(take));
