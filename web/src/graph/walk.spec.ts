import { describe, expect, it } from 'vitest';
import type { Graph } from '../api/shapes.ts';
import { labelsFor } from './labels.ts';
import { layoutOf } from './layout.ts';
import { fitted, nodeAt, zoomed } from './view.ts';
import { densest, nodeTowards, walkFrom } from './walk.ts';

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

/** Five hundred nodes; each links to one that came before. */
const LARGE: Graph = {
  nodes: Array.from({ length: 500 }, (_, index) => node(`folder/note-${index}.md`)),
  edges: Array.from({ length: 499 }, (_, index) => ({
    from: `folder/note-${index + 1}.md`,
    to: `folder/note-${Math.floor(index / 3)}.md`,
    kind: 'links_to' as const,
  })),
};
/** All of 500 nodes are joined to the first. */
const HUB: Graph = {
  nodes: LARGE.nodes,
  edges: LARGE.nodes.slice(1).map(({ id }) => ({ from: 'folder/note-0.md', to: id, kind: 'links_to' as const })),
};
const never = new AbortController().signal;

describe('layoutOf', () => {
  it('places five hundred nodes apart from each other, the same way each time', async () => {
    const { nodes: placed } = await layoutOf(LARGE, 1.4, never);
    let closest = Infinity;
    for (const [index, a] of placed.entries()) {
      for (const b of placed.slice(index + 1)) closest = Math.min(closest, Math.hypot(a.x - b.x, a.y - b.y));
    }
    expect(closest).toBeGreaterThan(8);
    expect((await layoutOf(LARGE, 1.4, never)).nodes[7]?.x).toBe(placed[7]?.x);
  });

  it('stops when it is not needed any more', async () => {
    const stopping = new AbortController();
    const layout = layoutOf(LARGE, 1.4, stopping.signal);
    stopping.abort();
    await expect(layout).rejects.toThrow();
  });

  it('fills a wide place in its width', async () => {
    const {
      box: [, , width, height],
    } = await layoutOf(LARGE, 2, never);
    expect(width / height).toBeGreaterThan(1.2);
  });
});

describe('labelsFor', () => {
  const FRAME = { width: 640, height: 480 };
  const pictures = new Map<Graph, ReturnType<typeof layoutOf>>();
  const pictureOf = (graph: Graph) => {
    const picture = pictures.get(graph) ?? layoutOf(graph, 1.4, never);
    pictures.set(graph, picture);
    return picture;
  };

  it.each([
    ['a tree', LARGE],
    ['a hub', HUB],
  ])('lets no label of %s overlap another, and shows more of them closer up', async (_, graph) => {
    const picture = await pictureOf(graph);
    const numbers = [0.5, 1, 2].map((zoom) => {
      const labels = labelsFor(picture.nodes, picture, { zoom, size: 1, frame: FRAME, first: [] });
      for (const [index, a] of labels.entries()) {
        for (const b of labels.slice(index + 1)) {
          const apart = (Math.abs(a.x - b.x) * 2) / (a.text.length + b.text.length);
          expect(apart > 6 || Math.abs(a.y - b.y) > 13).toBe(true);
        }
      }
      return labels.length;
    });
    expect(numbers[0]).toBeGreaterThan(15);
    expect(numbers[1]).toBeGreaterThan(numbers[0] as number);
    expect(numbers[2]).toBeGreaterThan(numbers[1] as number);
  });

  it('names what is asked for before all others', async () => {
    const picture = await pictureOf(LARGE);
    const first = ['folder/note-499.md', 'folder/note-321.md'];
    const labels = labelsFor(picture.nodes, picture, { zoom: 0.4, size: 1, frame: FRAME, first });
    expect(labels.slice(0, 2).map(({ id }) => id)).toEqual(first);
    expect(labels[0]?.text).toBe('note-499.md');
  });
});

describe('nodeTowards', () => {
  const at = (id: string, x: number, y: number) => ({ id, x, y });
  const nodes = [
    at('middle', 0, 0),
    at('right', 50, 5),
    at('far right', 300, 0),
    at('below', 0, 40),
    at('left', -10, 0),
  ];
  const middle = nodes[0] as (typeof nodes)[number];

  it('leads to the nearest neighbour in a direction, and to other nodes where no neighbour is', () => {
    const joined = new Set(['far right', 'below']);
    expect(nodeTowards(nodes, middle, joined, 'ArrowRight')?.id).toBe('far right');
    expect(nodeTowards(nodes, middle, joined, 'ArrowDown')?.id).toBe('below');
    expect(nodeTowards(nodes, middle, joined, 'ArrowLeft')?.id).toBe('left');
    expect(nodeTowards(nodes, middle, joined, 'ArrowUp')).toBeUndefined();
  });
});

describe('the view of a picture', () => {
  const PLACE = { width: 400, height: 300 };
  const picture = { nodes: [], edges: [], box: [-500, -100, 1000, 200] as [number, number, number, number] };

  it('shows the whole in the middle', () => {
    const { zoom, x, y } = fitted(picture, PLACE);
    expect(zoom * 1000).toBeLessThan(400);
    expect([x, y]).toEqual([200, 150]);
  });

  it('zooms around a point, between the whole and a bound', () => {
    const whole = fitted(picture, PLACE);
    const closer = zoomed(whole, 2, 100, 100, whole);
    expect((100 - closer.x) / closer.zoom).toBeCloseTo((100 - whole.x) / whole.zoom);
    expect(zoomed(whole, 1e9, 0, 0, whole).zoom).toBe(3);
    expect(zoomed(whole, 1e-9, 0, 0, whole).zoom).toBeCloseTo(whole.zoom * 0.7);
  });

  it('finds the nearest node within reach of a pointer', () => {
    const nodes = [
      { id: 'a', x: 0, y: 0, radius: 5 },
      { id: 'b', x: 20, y: 0, radius: 5 },
    ];
    const view = { zoom: 1, x: 100, y: 100 };
    expect(nodeAt(nodes, view, 1, 108, 100)?.id).toBe('a');
    expect(nodeAt(nodes, view, 1, 113, 100)?.id).toBe('b');
    expect(nodeAt(nodes, view, 1, 160, 100)).toBeUndefined();
  });
});
