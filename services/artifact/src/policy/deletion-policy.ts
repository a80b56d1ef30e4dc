import { decideDeletion, formatExecutionName, formatVersionName, VersionsError, type VersionName } from '@lockstep/versions';
import { logChange } from '../store/artifact-events';
import { executionStore } from '../store/execution-store';
import { requireKnownVersion, versionStore, type VersionRecord } from '../store/version-store';
import type { PolicyContext } from './policy-context';

/** Executions that a refusal names. */
const NAMED_READERS = 5;

/** Takes versions away. */
export class DeletionPolicy {
  constructor(private readonly context: PolicyContext) {}

  /** @returns what stays of it. @throws VersionsError VERSION_NOT_FOUND, VERSION_IN_USE */
  async delete(name: VersionName, reason: string): Promise<VersionRecord> {
    const { database, events, now } = this.context;
    return database.transaction(async (transaction) => {
      const { query } = transaction;
      const version = await requireKnownVersion(query, name);
      const readers = (await executionStore.runningReaders(query, name, NAMED_READERS)).map(formatExecutionName);
      const decision = decideDeletion(formatVersionName(name), version.deletion, readers, { timeMs: now(), reason });
      switch (decision.kind) {
        case 'UNCHANGED': return version;
        case 'REFUSED': throw new VersionsError('VERSION_IN_USE', decision.message, decision.facts);
        case 'DELETE': {
          const { deletion } = decision;
          await versionStore.markDeleted(query, version, deletion);
          await logChange(events, transaction, { kind: 'VERSION_DELETED', ...name, reason }, deletion.timeMs);
          return { ...version, deletion };
        }
      }
    });
  }
}
