/**
 * 64 bits, as two signed halves, that differ in few places for texts that differ in few words: Charikar's simhash
 * ("Similarity estimation techniques from rounding algorithms", 2002) over pairs of neighbouring terms.
 */
export interface Fingerprint {
  high: number;
  low: number;
}

/**
 * In bits, of 64: the distance that Manku et al. found right for web pages ("Detecting near-duplicates for web
 * crawling", 2007).
 */
const NEAR_BITS = 3;
const SEED = 0x811c9dc5;

export function fingerprint(terms: readonly string[]): Fingerprint {
  const ones = new BitCounts();
  let hashed = hash(terms[0] ?? '', SEED);
  for (let i = 1; i <= terms.length; i++) {
    const next = hash(terms[i] ?? '', SEED);
    const pair = Math.imul(hashed, 31) + next;
    ones.add(mixed(pair), mixed(pair ^ SEED));
    hashed = next;
  }
  return { high: ones.majority(0), low: ones.majority(32) };
}

export function areNear(a: Fingerprint, b: Fingerprint): boolean {
  return ones(a.high ^ b.high) + ones(a.low ^ b.low) <= NEAR_BITS;
}

/** The FNV-1a hash, with its bits mixed. */
export function hash(text: string, seed: number): number {
  let value = seed;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return mixed(value);
}

/** Mixes a number so that every bit of the result depends on every bit of it: the finaliser of MurmurHash3. */
export function mixed(number: number): number {
  let value = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}

/**
 * Counts how often each of 64 bits was set. Four counts of one byte share a number, which makes adding four times
 * cheaper.
 */
class BitCounts {
  private readonly counts = new Int32Array(64);
  private readonly packed = new Int32Array(16);
  private added = 0;
  private unpacked = 0;

  add(high: number, low: number): void {
    for (let byte = 0; byte < 4; byte++) {
      this.packed[2 * byte]! += SPREAD[(high >>> (8 * byte)) & 15]!;
      this.packed[2 * byte + 1]! += SPREAD[(high >>> (8 * byte + 4)) & 15]!;
      this.packed[8 + 2 * byte]! += SPREAD[(low >>> (8 * byte)) & 15]!;
      this.packed[9 + 2 * byte]! += SPREAD[(low >>> (8 * byte + 4)) & 15]!;
    }
    if (++this.added - this.unpacked === 255) this.unpack();
  }

  /** The bits among the 32 from `offset` on that were set in more than half of the terms. */
  majority(offset: number): number {
    this.unpack();
    let bits = 0;
    for (let bit = 0; bit < 32; bit++) if (2 * this.counts[offset + bit]! > this.added) bits |= 1 << bit;
    return bits;
  }

  private unpack(): void {
    for (let bit = 0; bit < 64; bit++) this.counts[bit]! += (this.packed[bit >> 2]! >>> (8 * (bit & 3))) & 255;
    this.packed.fill(0);
    this.unpacked = this.added;
  }
}

/** For each number from 0 to 15: its four bits, each in a byte of its own. */
const SPREAD = Int32Array.from({ length: 16 }, (_, bits) =>
  [0, 1, 2, 3].reduce((sum, bit) => sum | (((bits >>> bit) & 1) << (8 * bit)), 0),
);

function ones(bits: number): number {
  let left = bits;
  let n = 0;
  for (; left !== 0; left &= left - 1) n++;
  return n;
}
