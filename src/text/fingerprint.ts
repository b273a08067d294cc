/**
 * 64 bits, as two signed halves, that differ in few places for texts that differ in few words: Charikar's simhash
 * ("Similarity estimation techniques from rounding algorithms", 2002) over pairs of neighbouring terms.
 */
export interface Fingerprint {
  high: number;
  low: number;
}

/** Of 64 bits; the distance that Manku et al. found right for pages ("Detecting near-duplicates for web crawling", 2007). */
const NEAR_BITS = 3;
const SEED = 0x811c9dc5;

export function fingerprint(terms: readonly string[]): Fingerprint {
  const counts = new Int32Array(64);
  let hashed = hash(terms[0] ?? '', SEED);
  for (let i = 1; i <= terms.length; i++) {
    const next = hash(terms[i] ?? '', SEED);
    const pair = Math.imul(hashed, 31) + next;
    count(counts, 0, mixed(pair));
    count(counts, 32, mixed(pair ^ SEED));
    hashed = next;
  }
  return { high: signs(counts, 0), low: signs(counts, 32) };
}

export function areNear(a: Fingerprint, b: Fingerprint): boolean {
  return ones(a.high ^ b.high) + ones(a.low ^ b.low) <= NEAR_BITS;
}

/** FNV-1a, mixed. */
export function hash(text: string, seed: number): number {
  let value = seed;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return mixed(value);
}

/** Every bit of the result depends on every bit of the number: the finaliser of MurmurHash3. */
export function mixed(number: number): number {
  let value = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}

function count(counts: Int32Array, offset: number, bits: number): void {
  for (let bit = 0; bit < 32; bit++) counts[offset + bit]! += (bits >>> bit) & 1 ? 1 : -1;
}

function signs(counts: Int32Array, offset: number): number {
  let bits = 0;
  for (let bit = 0; bit < 32; bit++) if (counts[offset + bit]! > 0) bits |= 1 << bit;
  return bits;
}

function ones(bits: number): number {
  let left = bits;
  let n = 0;
  for (; left !== 0; left &= left - 1) n++;
  return n;
}
