/** @typedef {{ signal?: AbortSignal }} ListenOptions */

/**
 * @template {Record<string, any>} Told from the name of an event to what is told
 * @typedef {object} Events
 * @property {<K extends keyof Told>(type: K, listener: (event: Told[K]) => void, options?: ListenOptions) => () => void} on
 *   listens, and returns what stops it
 * @property {<K extends keyof Told>(type: K, event: Told[K]) => boolean} emit tells everybody, in the order in which they
 *   came, and returns whether there was anybody
 */

/**
 * Calls back when it is aborted, which may be now.
 *
 * @param {AbortSignal | undefined} signal
 * @param {() => void} deed
 * @param {ListenOptions} [until]
 */
export const onAbort = (signal, deed, until) => {
  if (signal?.aborted) deed();
  signal?.addEventListener("abort", deed, until);
};

/**
 * Who listens to what.
 *
 * @returns {Events<any>}
 */
export function listeners() {
  /** In the order in which they came. @type {Set<[type: PropertyKey, listener: (event: any) => void]>} */
  const all = new Set();
  return {
    on(type, listener, { signal } = {}) {
      /** @type {[PropertyKey, (event: any) => void]} */
      const entry = [type, listener];
      const until = new AbortController();
      const off = () => {
        all.delete(entry);
        until.abort(); // the signal may live for as long as the page; what it would have stopped should not
      };
      all.add(entry);
      onAbort(signal, off, until);
      return off;
    },

    emit(type, event) {
      const told = [...all].filter(([wanted]) => wanted === type);
      for (const [, listener] of told) {
        try {
          listener(event);
        } catch (error) {
          // It must not cost the others their event, nor the frame its rest. The page's own error handling sees it.
          queueMicrotask(() => {
            throw error;
          });
        }
      }
      return !!told.length;
    },
  };
}
