/** What a member's recovery rests on. */
import type { Collective, CollectiveError } from '@lockstep/reduction';

/** Whoever knows which generation comes next. */
export interface Membership {
  /** Whether a newer generation than the one that was formed last waits. Cheap: it is read before every step. */
  readonly changed: boolean;
  /** Whether that generation, while it waits, is only announced: until all know of it by their sums, the group that was formed last works on. */
  readonly announced: boolean;
  /**
   * Leaves the group that was formed last, and joins the next one as soon as it is known.
   *
   * @param why what broke the last one; undefined when nothing did
   * @throws CollectiveError that names what ended this member's part in the job
   */
  form(why: CollectiveError | undefined): Collective;
  /** The members of the group that was formed last are equal: the work goes on. */
  equal(): void;
}

/** What a member that holds the state hands to a joiner. */
export interface StateSource {
  /** Whether the state can be taken now: not while callbacks run. */
  readonly exact: boolean;
  /** The whole state, the same bytes on every member. */
  take(): { readonly bytes: Uint8Array; readonly digest: string };
  /** @throws Error when the bytes are not what the digest says */
  check(bytes: Uint8Array, digest: string): void;
}

/** A state that a joiner was handed. */
export interface HandedState {
  readonly bytes: Uint8Array;
  readonly digest: string;
}
