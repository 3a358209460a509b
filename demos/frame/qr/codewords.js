// The bytes of a QR code (ISO/IEC 18004): a text, and what mends it where the picture is dirty.

/** Of versions 1 to 10 at level M, which survives the loss of 15 %: all codewords, the blocks they are in, and how many of each block mend it. */
const VERSIONS = [
  [26, 1, 10],
  [44, 1, 16],
  [70, 1, 26],
  [100, 2, 18],
  [134, 2, 24],
  [172, 4, 16],
  [196, 4, 18],
  [242, 4, 22],
  [292, 5, 22],
  [346, 5, 26],
];

/** What fills the room that a text leaves (7.4.10). */
const PADDING = [0xec, 0x11];

/** Powers of 2 in the field of 256 elements, and of which power each element is. */
const POWERS = new Uint8Array(512);
const LOGARITHMS = new Uint8Array(256);
for (let exponent = 0, value = 1; exponent < 255; exponent++) {
  POWERS[exponent] = POWERS[exponent + 255] = value;
  LOGARITHMS[value] = exponent;
  value = value & 0x80 ? (value << 1) ^ 0x11d : value << 1;
}
const times = (a, b) => (a && b ? POWERS[LOGARITHMS[a] + LOGARITHMS[b]] : 0);

/**
 * The codewords of a text in the order in which they are drawn, and the smallest version that they fit into.
 *
 * @param {string} text
 * @returns {{ version: number, codewords: number[] }}
 * @throws {RangeError} it has more than 213 bytes in UTF-8
 */
export function codewordsOf(text) {
  const bytes = [...new TextEncoder().encode(text)];
  const version = VERSIONS.findIndex((_, index) => bytes.length <= roomOf(index + 1)) + 1;
  if (!version) throw new RangeError(`a QR code of ours has room for ${roomOf(VERSIONS.length)} bytes, and not for ${bytes.length}`);
  const [, count, mending] = VERSIONS[version - 1];
  const blocks = blocksOf(dataOf(bytes, version), count);
  const repairs = blocks.map((block) => repairOf(block, mending));
  return { version, codewords: [...woven(blocks), ...woven(repairs)] };
}

/** How many codewords are left for data. */
function dataCount(version) {
  const [all, blocks, mending] = VERSIONS[version - 1];
  return all - blocks * mending;
}

/** How many bytes of text a version takes: from version 10 their count has two bytes (table 3). */
const roomOf = (version) => dataCount(version) - (version < 10 ? 2 : 3);

/** "These are bytes" and how many, each half a byte out of step, then the bytes, an end, and padding (7.4). */
function dataOf(bytes, version) {
  const count = version < 10 ? [bytes.length] : [bytes.length >> 8, bytes.length & 0xff];
  const halves = [4, ...[...count, ...bytes].flatMap((byte) => [byte >> 4, byte & 15]), 0];
  const data = [];
  for (let at = 0; at < halves.length; at += 2) data.push((halves[at] << 4) | halves[at + 1]);
  const missing = dataCount(version) - data.length;
  return [...data, ...Array.from({ length: missing }, (_, at) => PADDING[at % 2])];
}

/** As equal as they can be, the shorter ones first (7.5.1). */
function blocksOf(data, count) {
  const short = Math.floor(data.length / count);
  const longFrom = count - (data.length % count);
  let at = 0;
  return Array.from({ length: count }, (_, index) => data.slice(at, (at += short + (index < longFrom ? 0 : 1))));
}

/** What mends a block: the rest of its division by a polynomial whose roots are the first powers of 2 (7.5.2). */
function repairOf(block, count) {
  let divisor = [1];
  for (let root = 0; root < count; root++) {
    const shifted = [...divisor, 0];
    divisor = shifted.map((factor, at) => factor ^ times(at ? divisor[at - 1] : 0, POWERS[root]));
  }
  const rest = new Array(count).fill(0);
  for (const codeword of block) {
    const factor = codeword ^ rest.shift();
    rest.push(0);
    for (let at = 0; at < count; at++) rest[at] ^= times(divisor[at + 1], factor);
  }
  return rest;
}

/** The first of each block, the second of each, and so on (7.6). */
function woven(blocks) {
  const longest = Math.max(...blocks.map(({ length }) => length));
  const turn = (at) => blocks.flatMap((block) => (at < block.length ? [block[at]] : []));
  return Array.from({ length: longest }, (_, at) => turn(at)).flat();
}
