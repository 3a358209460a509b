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
      const off = () => {
        all.delete(entry);
        signal?.removeEventListener("abort", off); // it may live for as long as the page; what it would have stopped should not
      };
      if (!signal?.aborted) all.add(entry);
      signal?.addEventListener("abort", off);
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
