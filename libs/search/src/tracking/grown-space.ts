import { checkSpace } from '../space/check-space';
import { mergeSpace } from '../space/merge-space';
import type { SearchSpace } from '../space/search-space';
import { refuseViolations, type Violation } from '../search-error';

/**
 * A space with further parameters; the same object when it has them already.
 *
 * @param parameters parents before children
 * @param field where they stand in what was asked for; faults are named by it: `parameters[2].max`
 * @throws SearchError INVALID_SPACE
 */
export function grownSpace(known: SearchSpace, parameters: SearchSpace, field: string): SearchSpace {
  const merge = mergeSpace(known, parameters);
  switch (merge.kind) {
    case 'REFUSED': {
      refuseViolations('INVALID_SPACE', merge.violations.map((violation) => placed(violation, field, (index) => index)));
      return known;
    }
    case 'MERGED': {
      const { space, added } = merge;
      if (added.length === 0) return known;
      const indexInRequest = (index: number): number => parameters.findIndex((parameter) => parameter === added[index - known.length]);
      refuseViolations('INVALID_SPACE', checkSpace(space).map((violation) => placed(violation, field, indexInRequest)));
      return space;
    }
  }
}

/** The same fault where it stands in the request. */
function placed({ field, description }: Violation, at: string, indexOf: (index: number) => number): Violation {
  return { field: field.replace(/^space(\[(\d+)\])?/, (_all, _brackets, index?: string) => (index === undefined ? at : `${at}[${indexOf(Number(index))}]`)), description };
}
