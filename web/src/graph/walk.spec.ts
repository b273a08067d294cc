import { describe, expect, it } from 'vitest';
import type { Graph } from '../api/shapes.ts';
import { layoutOf } from './layout.ts';
import { densest, walkFrom } from './walk.ts';

const node = (id: string, kind: Graph['nodes'][number]['kind'] = 'document') => ({ id, kind, label: id });
const GRAPH: Graph = {
  nodes: [node('a'), node('b'), node('c'), node('d'), node('t', 'term')],
  edges: [
    { from: 'a', to: 'b', kind: 'links_to' },
    { from: 'b', to: 'c', kind: 'links_to' },
    { from: 'a', to: 't', kind: 'mentions' },
    { from: 'd', to: 't', kind: 'mentions' },
  ],
};
const ids = ({ nodes }: Graph) => nodes.map(({ id }) => id);

describe('walkFrom', () => {
  it('goes outwards by so many steps, over the kinds that are shown', () => {
    expect(ids(walkFrom(GRAPH, 'a', 1, new Set(['document'])))).toEqual(['a', 'b']);
    expect(ids(walkFrom(GRAPH, 'a', 2, new Set(['document'])))).toEqual(['a', 'b', 'c']);
    expect(ids(walkFrom(GRAPH, 'a', 2, new Set(['document', 'term'])))).toEqual(['a', 'b', 't', 'c', 'd']);
  });

  it('begins at a node of a kind that is not shown', () => {
    expect(ids(walkFrom(GRAPH, 't', 1, new Set(['document'])))).toEqual(['t', 'a', 'd']);
  });
});

describe('densest', () => {
  it('keeps documents and the start, and no edge into nothing', () => {
    const kept = densest(GRAPH, 3, 't');
    expect(ids(kept)).toHaveLength(3);
    expect(ids(kept)).toContain('t');
    const left = new Set(ids(kept));
    expect(kept.edges.every(({ from, to }) => left.has(from) && left.has(to))).toBe(true);
  });
});

describe('layoutOf', () => {
  it('places five hundred nodes apart from each other, the same way each time', () => {
    const nodes = Array.from({ length: 500 }, (_, index) => node(String(index)));
    const edges = nodes.slice(1).map(({ id }, index) => ({
      from: id,
      to: String(Math.floor(index / 3)),
      kind: 'links_to' as const,
    }));
    const { nodes: placed } = layoutOf({ nodes, edges });
    let closest = Infinity;
    for (const [index, a] of placed.entries()) {
      for (const b of placed.slice(index + 1)) closest = Math.min(closest, Math.hypot(a.x - b.x, a.y - b.y));
    }
    expect(closest).toBeGreaterThan(5);
    expect(layoutOf({ nodes, edges }).nodes[7]?.x).toBe(placed[7]?.x);
  });
});
