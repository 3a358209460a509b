import { onAbort } from "./abort.js";

/** @typedef {{ signal?: AbortSignal }} ListenOptions */

/**
 * Who listens to what.
 *
 * @template {Record<string, any>} Events from the name of an event to what is told
 */
export class Events {
  /** In the order in which they came. @type {Set<{ type: keyof Events, listener: (event: any) => void }>} */
  #listeners = new Set();

  /**
   * @template {keyof Events} K
   * @param {K} type
   * @param {(event: Events[K]) => void} listener
   * @param {ListenOptions} [options]
   * @returns {() => void} stops listening
   */
  on(type, listener, { signal } = {}) {
    const entry = { type, listener };
    this.#listeners.add(entry);
    const off = () => {
      this.#listeners.delete(entry);
      offAbort(); // a signal may live for as long as the page; what it would have stopped should not
    };
    const offAbort = onAbort(signal, off);
    return off;
  }

  /**
   * Tells everybody, in the order in which they came.
   *
   * A listener that throws must not cost the others their event, nor the frame its rest; its error is
   * thrown again where the page's own error handling sees it.
   *
   * @template {keyof Events} K
   * @param {K} type
   * @param {Events[K]} event
   * @returns {boolean} whether anybody listened
   */
  emit(type, event) {
    const told = [...this.#listeners].filter((entry) => entry.type === type);
    for (const { listener } of told) {
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    return !!told.length;
  }
}
