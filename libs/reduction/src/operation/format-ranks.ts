/** `rank 2`, `ranks 1, 2`. */
export const formatRanks = (ranks: readonly number[]): string => `rank${ranks.length === 1 ? '' : 's'} ${ranks.join(', ')}`;
