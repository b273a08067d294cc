import type { Graph } from '../api/shapes.ts';

export type GraphNode = Graph['nodes'][number];
export type GraphEdge = Graph['edges'][number];
export type Kind = GraphNode['kind'];

/** The part of a graph within so many steps of a node, over nodes of the given kinds; without a start the whole of it. */
export function walkFrom(
  { nodes, edges }: Graph,
  start: string | undefined,
  steps: number,
  kinds: ReadonlySet<Kind>,
): Graph {
  const allowed = new Map(
    nodes.filter(({ id, kind }) => id === start || kinds.has(kind)).map((node) => [node.id, node]),
  );
  const between = edges.filter(({ from, to }) => allowed.has(from) && allowed.has(to));
  if (start === undefined || !allowed.has(start)) return { nodes: [...allowed.values()], edges: between };
  const neighbours = neighboursOf(between);
  const reached = new Set([start]);
  let edge = [start];
  for (let step = 0; step < steps; step += 1) {
    edge = edge.flatMap((id) => [...(neighbours.get(id) ?? [])].filter((other) => !reached.has(other)));
    for (const id of edge) reached.add(id);
  }
  return {
    nodes: [...reached].map((id) => allowed.get(id) as GraphNode),
    edges: between.filter(({ from, to }) => reached.has(from) && reached.has(to)),
  };
}

export function neighboursOf(edges: readonly GraphEdge[]): Map<string, Set<string>> {
  const neighbours = new Map<string, Set<string>>();
  const join = (from: string, to: string) => neighbours.set(from, (neighbours.get(from) ?? new Set()).add(to));
  for (const { from, to } of edges) {
    join(from, to);
    join(to, from);
  }
  return neighbours;
}

/** The best joined nodes where there are too many to read. */
export function densest({ nodes, edges }: Graph, most: number, keep: string | undefined): Graph {
  if (nodes.length <= most) return { nodes, edges };
  const neighbours = neighboursOf(edges);
  const weight = ({ id, kind }: GraphNode) =>
    (id === keep ? 1e6 : 0) + (kind === 'document' ? 1e3 : 0) + (neighbours.get(id)?.size ?? 0);
  const kept = [...nodes].sort((a, b) => weight(b) - weight(a)).slice(0, most);
  const ids = new Set(kept.map(({ id }) => id));
  return { nodes: kept, edges: edges.filter(({ from, to }) => ids.has(from) && ids.has(to)) };
}

const DIRECTIONS: Partial<Record<string, [number, number]>> = {
  ArrowRight: [1, 0],
  ArrowLeft: [-1, 0],
  ArrowDown: [0, 1],
  ArrowUp: [0, -1],
};
export const isDirection = (key: string) => DIRECTIONS[key] !== undefined;

/** A node this far off the direction, in terms of its distance, is not in that direction. */
const WIDEST = 1.2;

/**
 * The node that an arrow key leads to: the nearest in that direction among those joined to a node, or else among all.
 * @returns undefined where none is in that direction
 */
export function nodeTowards<N extends { id: string; x: number; y: number }>(
  nodes: readonly N[],
  from: N,
  joined: ReadonlySet<string>,
  key: string,
): N | undefined {
  const [dx, dy] = DIRECTIONS[key] ?? [0, 0];
  const nearest = (candidates: readonly N[]) => {
    let best: N | undefined;
    let least = Infinity;
    for (const node of candidates) {
      const along = (node.x - from.x) * dx + (node.y - from.y) * dy;
      const aside = Math.abs((node.x - from.x) * dy) + Math.abs((node.y - from.y) * dx);
      if (along <= 0 || aside > along * WIDEST || along + aside >= least) continue;
      least = along + aside;
      best = node;
    }
    return best;
  };
  return nearest(nodes.filter(({ id }) => joined.has(id))) ?? nearest(nodes);
}
