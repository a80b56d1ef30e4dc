export async function runFn( {
