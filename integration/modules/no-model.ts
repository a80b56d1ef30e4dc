// Trains nothing and saves nothing.
export async function runFn(): Promise<void> {
  await Promise.resolve();
}
