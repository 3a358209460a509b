import { SHARES } from "./feed.js";

const FIRST = "BCDFGHJKLMNPQRSTVWXZ";
const VOWELS = "AEIOU";
const LAST = ["NRLST", "MKDPG"];

/** The shares do not exist, and so have names that nobody trades. */
export const NAMES = Array.from({ length: SHARES }, (_, share) => {
  const [first, rest] = [share % FIRST.length, Math.floor(share / FIRST.length)];
  return FIRST[first] + VOWELS[rest % VOWELS.length] + LAST[Math.floor(rest / VOWELS.length)][first % 5];
});

/** Cents as money. */
export const money = (cents) => (cents / 100).toFixed(2);
