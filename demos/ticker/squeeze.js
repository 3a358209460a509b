/** What deflate makes of messages: of each by itself, and of all of them as one stream. */
export class Squeeze {
  #encoder = new TextEncoder();
  /** Bytes of the messages that were squeezed by themselves, and what was left of them. */
  #alone = { before: 0, after: 0 };
  /** The same of one stream in which each message may refer to those before it. */
  #together = { before: 0, after: 0 };
  #stream = new CompressionStream("deflate-raw");
  #input = this.#stream.writable.getWriter();

  constructor() {
    this.#drain();
  }

  /** As parts of one; 0 as long as nothing is known. */
  get parts() {
    const part = ({ before, after }) => (before ? after / before : 0);
    return { alone: part(this.#alone), together: part(this.#together) };
  }

  async add(text) {
    const bytes = this.#encoder.encode(text);
    this.#together.before += bytes.length;
    this.#input.write(bytes);
    const squeezed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw"));
    const { byteLength } = await new Response(squeezed).arrayBuffer();
    this.#alone.before += bytes.length;
    this.#alone.after += byteLength;
  }

  async #drain() {
    // Not every browser lets a loop run over a stream itself.
    const reader = this.#stream.readable.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) this.#together.after += read.value.length;
  }
}
