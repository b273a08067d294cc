import { describe, expect, it } from 'vitest';
import type { Degradation } from '../api/shapes.ts';
import { degradedDetails, degradedLine } from './degraded-text.ts';

/** @param fallback any string: a newer backend may have others */
const entry = (service: string, reason: 'unreachable' | 'circuit_open', fallback: string) =>
  ({ service, reason, fallback }) as Degradation[number];

describe('degradedLine', () => {
  it('is absent where nothing was worked around', () => {
    expect(degradedLine([], 'answer')).toBeUndefined();
  });

  it('says what was worked around and what that means', () => {
    expect(degradedLine([entry('chroma', 'unreachable', 'fulltext')], 'answer')).toBe(
      'Answered from full text: the vector index is away. Wording close to yours matters more.',
    );
  });

  it('says first what matters most to a reader', () => {
    const degradation = [entry('billing', 'circuit_open', 'outbox'), entry('chroma', 'circuit_open', 'none')];
    expect(degradedLine(degradation, 'answer')).toMatch(/^The vector index is away, and nothing/);
    expect(degradedDetails(degradation)).toHaveLength(2);
  });

  it('says last what an answer does well without', () => {
    const degradation = [entry('git', 'circuit_open', 'none'), entry('chroma', 'circuit_open', 'fulltext')];
    expect(degradedLine(degradation, 'answer')).toMatch(/^Answered from full text/);
  });

  it('names a fallback that it does not know as one that could not be taken', () => {
    expect(degradedLine([entry('llm_2', 'unreachable', 'something new')], 'answer')).toMatch(/language model is away/);
  });
});
