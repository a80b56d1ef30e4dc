/** Durations as people write them in settings: `90s`, `10m`, `24h`, `7d`, or `0`. */
const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** In milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  return match ? Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS] : undefined;
}

/** In hours, minutes or seconds, whichever is the largest that gives a whole number. @param durationMs whole seconds */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return '0';
  const unit = (['h', 'm', 's'] as const).find((u) => durationMs % UNIT_MS[u] === 0) ?? 's';
  return `${durationMs / UNIT_MS[unit]}${unit}`;
}
