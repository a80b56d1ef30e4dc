// Starts something that fails, and does not wait for it.
export async function runFn(): Promise<void> {
  void Promise.reject(new Error('nobody waits for me'));
  await new Promise((resolve) => { setTimeout(resolve, 60_000); });
}
