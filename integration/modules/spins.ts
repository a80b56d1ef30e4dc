// Never comes back, and lets nothing else of its thread run.
export function runFn(): void {
  console.log('spins from here on');
  for (;;);
}
