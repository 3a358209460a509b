// The squares of a QR code (ISO/IEC 18004, 7.7 to 7.10): what a camera finds it by, the codewords, and a mask over them.

import { codewordsOf } from "./codewords.js";

/** Where each mask turns a square over (table 10). */
const MASKS = [
  (x, y) => (x + y) % 2,
  (x, y) => y % 2,
  (x) => x % 3,
  (x, y) => (x + y) % 3,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2,
  (x, y) => ((x * y) % 2) + ((x * y) % 3),
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2,
].map((rest) => (x, y) => rest(x, y) === 0);

/**
 * A text as squares.
 *
 * @param {string} text at most 213 bytes in UTF-8
 * @returns {boolean[][]} rows from the top; true is dark. What is around it must be light for four squares.
 * @throws {RangeError} the text is too long
 */
export function matrixOf(text) {
  const { version, codewords } = codewordsOf(text);
  const masked = MASKS.map((mask, number) => new Matrix(version).write(codewords, mask, number).rows);
  const costs = masked.map(penaltyOf);
  return masked[costs.indexOf(Math.min(...costs))];
}

class Matrix {
  /** @type {boolean[][]} with holes where no square is yet */
  rows;
  #size;

  constructor(version) {
    this.#size = 17 + 4 * version;
    this.rows = Array.from({ length: this.#size }, () => new Array(this.#size));
    const far = this.#size - 7;
    for (const [x, y] of [[0, 0], [far, 0], [0, far]]) this.#finder(x, y);
    this.#alignments(version);
    for (let at = 8; at < this.#size - 8; at++) {
      this.#set(at, 6, at % 2 === 0);
      this.#set(6, at, at % 2 === 0);
    }
    if (version >= 7) this.#version(version);
  }

  write(codewords, mask, number) {
    this.#format(number);
    const bits = codewords.flatMap((codeword) => Array.from({ length: 8 }, (_, bit) => (codeword >> (7 - bit)) & 1));
    let at = 0;
    for (const [x, y] of this.#free()) this.#set(x, y, !!bits[at++] !== mask(x, y));
    return this;
  }

  #set(x, y, isDark) {
    this.rows[y][x] = isDark;
  }

  /** One of the three corners, with a light line around it. */
  #finder(left, top) {
    for (let y = -1; y <= 7; y++) {
      for (let x = -1; x <= 7; x++) {
        const ring = Math.max(Math.abs(x - 3), Math.abs(y - 3));
        if (this.rows[top + y] && left + x >= 0 && left + x < this.#size) this.#set(left + x, top + y, ring !== 2 && ring !== 4);
      }
    }
  }

  /** What shows how the picture is bent: at each crossing of these lines that no finder covers (annex E). */
  #alignments(version) {
    const last = 4 * version + 10;
    const lines = version === 1 ? [] : version < 7 ? [6, last] : [6, (6 + last) / 2, last];
    for (const middleY of lines) {
      for (const middleX of lines) {
        if (this.rows[middleY][middleX] !== undefined) continue;
        for (let y = -2; y <= 2; y++) for (let x = -2; x <= 2; x++) this.#set(middleX + x, middleY + y, Math.max(Math.abs(x), Math.abs(y)) !== 1);
      }
    }
  }

  /** The level, whose bits are both 0, and the mask, twice (7.9). */
  #format(mask) {
    const bits = withRest(mask, 10, 0x537) ^ 0x5412;
    const end = this.#size - 1;
    for (let bit = 0; bit < 15; bit++) {
      const isDark = ((bits >> bit) & 1) === 1;
      const along = bit < 8 ? bit + (bit > 5) : 14 - bit + (bit === 8);
      this.#set(bit < 8 ? 8 : along, bit < 8 ? along : 8, isDark);
      this.#set(bit < 8 ? end - bit : 8, bit < 8 ? 8 : end - 14 + bit, isDark);
    }
    this.#set(8, end - 7, true);
  }

  /** Twice as well (7.10). */
  #version(version) {
    const bits = withRest(version, 12, 0x1f25);
    for (let bit = 0; bit < 18; bit++) {
      const [near, far] = [Math.floor(bit / 3), this.#size - 11 + (bit % 3)];
      this.#set(near, far, ((bits >> bit) & 1) === 1);
      this.#set(far, near, ((bits >> bit) & 1) === 1);
    }
  }

  /** What is left for codewords: two columns at a time from the right, up and down in turn (7.7.3). */
  *#free() {
    const fromTop = Array.from(this.rows.keys());
    const pairs = fromTop.filter((column) => column > 0 && column % 2 === (column > 6 ? 0 : 1)).reverse();
    for (const [turn, right] of pairs.entries()) {
      for (const y of turn % 2 ? fromTop : fromTop.toReversed()) {
        for (const x of [right, right - 1]) if (this.rows[y][x] === undefined) yield [x, y];
      }
    }
  }
}

/** A number, and the rest of its division by a polynomial behind it: what mends it. */
function withRest(number, degree, divisor) {
  let rest = number << degree;
  for (let bit = 31 - Math.clz32(rest); bit >= degree; bit = 31 - Math.clz32(rest)) rest ^= divisor << (bit - degree);
  return (number << degree) | rest;
}

/** How hard to read a code is (7.8.3): by long runs, by blocks of one colour, by what looks like a finder, and by too much of one colour. */
function penaltyOf(rows) {
  const draw = (line) => line.map(Number).join("");
  const across = rows.map(draw);
  const lines = [...across, ...rows.map((_, x) => draw(rows.map((row) => row[x])))];
  const sum = (numbers) => numbers.reduce((all, each) => all + each, 0);
  const runs = sum(lines.flatMap((line) => (line.match(/(.)\1{4,}/g) ?? []).map(({ length }) => length - 2)));
  const finders = sum(lines.map((line) => [...line.matchAll(/(?=10111010000|00001011101)/g)].length));
  const isBlock = (x, y) => rows[y][x] === rows[y][x + 1] && rows[y][x] === rows[y + 1][x] && rows[y][x] === rows[y + 1][x + 1];
  const blocks = sum(rows.slice(1).map((_, y) => rows.slice(1).filter((_, x) => isBlock(x, y)).length));
  const dark = sum(rows.flat().map(Number)) / rows.length ** 2;
  return runs + 3 * blocks + 40 * finders + 10 * Math.floor(Math.abs(dark - 0.5) * 20);
}
