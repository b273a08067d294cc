import {
  forceCollide,
  forceLink,
  forceManyBody,
  forceSimulation,
  forceX,
  forceY,
  type SimulationNodeDatum,
} from 'd3-force';
import type { Graph } from '../api/shapes.ts';
import type { GraphNode } from './walk.ts';

const TICKS = 260;

export interface PlacedNode extends GraphNode, SimulationNodeDatum {
  x: number;
  y: number;
  radius: number;
}
export interface PlacedEdge {
  source: PlacedNode;
  target: PlacedNode;
}
export interface Picture {
  nodes: PlacedNode[];
  edges: PlacedEdge[];
  /** Left, top, width and height of all of it. */
  box: [number, number, number, number];
}

/** Where each node stands. The same graph gives the same picture, at once: nothing moves on the page. */
export function layoutOf({ nodes, edges }: Graph): Picture {
  const degree = new Map<string, number>();
  for (const { from, to } of edges) for (const id of [from, to]) degree.set(id, (degree.get(id) ?? 0) + 1);
  const radiusOf = (id: string) => 4 + Math.min(8, Math.sqrt(degree.get(id) ?? 0) * 1.4);
  // The simulation gives a place to nodes that have none.
  const placed = nodes.map((node) => ({ ...node, radius: radiusOf(node.id) }) as PlacedNode);
  const links = edges.map(({ from, to }) => ({ source: from, target: to }));
  forceSimulation(placed)
    .force(
      'link',
      forceLink<PlacedNode, { source: string; target: string }>(links)
        .id(({ id }) => id)
        .distance(64),
    )
    .force('charge', forceManyBody().strength(-220).distanceMax(600))
    .force(
      'collide',
      forceCollide<PlacedNode>(({ radius }) => radius + 8),
    )
    .force('x', forceX(0).strength(0.04))
    .force('y', forceY(0).strength(0.08))
    .stop()
    .tick(TICKS);
  const margin = 60;
  const left = Math.min(0, ...placed.map(({ x }) => x)) - margin;
  const top = Math.min(0, ...placed.map(({ y }) => y)) - margin;
  const right = Math.max(0, ...placed.map(({ x }) => x)) + margin;
  const bottom = Math.max(0, ...placed.map(({ y }) => y)) + margin;
  return { nodes: placed, edges: links as unknown as PlacedEdge[], box: [left, top, right - left, bottom - top] };
}
