// Seeded randomness: the whole run must give the same bytes on every machine.

/** FNV-1a over UTF-16 code units, 32 bits. */
export function hash32(text) {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    h ^= text.charCodeAt(i);
    h = Math.imul(h, 0x01000193) >>> 0;
  }
  return h >>> 0;
}

/** mulberry32: a small generator with 32 bits of state, uniform in [0, 1). */
export function prng(seed) {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A number in [0, 1) that depends on nothing but the seed and the text. */
export function unit(seed, text) {
  return prng(hash32(`${seed}:${text}`))();
}

/** Runs `body` with Math.random replaced by a seeded generator: header-generator draws from Math.random. */
export function withSeededRandom(seed, body) {
  const original = Math.random;
  Math.random = prng(hash32(seed));
  try {
    return body();
  } finally {
    Math.random = original;
  }
}

/** Order by UTF-16 code units, never by locale. */
export const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
