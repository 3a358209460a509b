import { onAbort } from "./abort.js";

/** @typedef {{ signal?: AbortSignal }} ListenOptions */

/**
 * Who listens to what.
 *
 * @template {Record<string, any>} Events from the name of an event to what is told
 */
export class Events {
  /** @type {Map<keyof Events, Set<{ listener: (event: any) => void }>>} */
  #listeners = new Map();

  /**
   * @template {keyof Events} K
   * @param {K} type
   * @param {(event: Events[K]) => void} listener
   * @param {ListenOptions} [options]
   * @returns {() => void} stops listening
   */
  on(type, listener, { signal } = {}) {
    const listeners = this.#listeners.get(type) ?? new Set();
    const entry = { listener };
    /** @type {(() => void) | undefined} */
    let offAbort;
    const off = () => {
      listeners.delete(entry);
      offAbort?.(); // a signal may live for as long as the page; what it would have stopped should not
    };
    this.#listeners.set(type, listeners.add(entry));
    offAbort = onAbort(signal, off);
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
    const listeners = [...(this.#listeners.get(type) ?? [])];
    for (const { listener } of listeners) {
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    return listeners.length > 0;
  }
}
