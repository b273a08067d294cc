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

const TICKS = 200;
/** The simulation comes to rest in as many ticks: its alpha is then 0.001. */
const COOLING = 1 - 0.001 ** (1 / TICKS);
/** Distant nodes count as one more often than by default, which halves the time. */
const THETA = 1.2;
/** The longest that the layout keeps the page from answering a key or a pointer. */
const SLICE_MS = 8;
const GRAVITY = 0.05;

export interface PlacedNode extends GraphNode, SimulationNodeDatum {
  x: number;
  y: number;
  radius: number;
  /** How many other nodes it is joined to. */
  degree: number;
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

/**
 * Where each node is drawn. The same graph gets the same picture. The work is done in slices, so that the page stays responsive.
 * @param aspect width by height of the place for the picture
 * @throws the reason of the signal
 */
export async function layoutOf({ nodes, edges }: Graph, aspect: number, signal: AbortSignal): Promise<Picture> {
  const degree = new Map<string, number>();
  for (const { from, to } of edges) for (const id of [from, to]) degree.set(id, (degree.get(id) ?? 0) + 1);
  const radiusOf = (id: string) => 4 + Math.min(8, Math.sqrt(degree.get(id) ?? 0) * 1.4);
  // The simulation gives a place to nodes that have none.
  const placed = nodes.map(
    (node) => ({ ...node, radius: radiusOf(node.id), degree: degree.get(node.id) ?? 0 }) as PlacedNode,
  );
  const links = edges.map(({ from, to }) => ({ source: from, target: to }));
  const simulation = forceSimulation(placed)
    .force(
      'link',
      forceLink<PlacedNode, { source: string; target: string }>(links)
        .id(({ id }) => id)
        .distance(56),
    )
    .force('charge', forceManyBody().strength(-220).distanceMax(900).theta(THETA))
    .force(
      'collide',
      forceCollide<PlacedNode>(({ radius }) => radius + 8),
    )
    .force('x', forceX(0).strength(GRAVITY / aspect))
    .force('y', forceY(0).strength(GRAVITY * aspect))
    .alphaDecay(COOLING)
    .stop();
  let sliceEndMs = performance.now() + SLICE_MS;
  for (let tick = 0; tick < TICKS; tick += 1) {
    simulation.tick();
    if (performance.now() < sliceEndMs) continue;
    await afterOtherEvents();
    signal.throwIfAborted();
    sliceEndMs = performance.now() + SLICE_MS;
  }
  return { nodes: placed, edges: links as unknown as PlacedEdge[], box: boxOf(placed) };
}

/** Unlike after `setTimeout`, there is no wait of 4 ms. */
const afterOtherEvents = () =>
  new Promise<void>((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });

function boxOf(placed: readonly PlacedNode[]): Picture['box'] {
  const left = Math.min(...placed.map(({ x, radius }) => x - radius));
  const top = Math.min(...placed.map(({ y, radius }) => y - radius));
  const right = Math.max(...placed.map(({ x, radius }) => x + radius));
  const bottom = Math.max(...placed.map(({ y, radius }) => y + radius));
  return [left, top, right - left, bottom - top];
}
