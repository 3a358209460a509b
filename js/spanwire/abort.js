/**
 * Calls back when a signal is aborted; soon, if it already was.
 *
 * @param {AbortSignal | undefined} signal
 * @param {(reason: any) => void} callback
 * @returns {() => void} stops waiting for it
 */
export function onAbort(signal, callback) {
  const aborted = () => callback(signal?.reason);
  if (signal?.aborted) queueMicrotask(aborted);
  signal?.addEventListener("abort", aborted);
  return () => signal?.removeEventListener("abort", aborted);
}
