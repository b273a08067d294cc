import { type KeyboardEvent, memo, useEffect, useMemo, useRef } from 'react';
import { t } from '../texts/en.ts';
import { labelsFor } from './labels.ts';
import type { Picture, PlacedNode } from './layout.ts';
import { useView } from './use-view.ts';
import { isDirection, nodeTowards } from './walk.ts';

const ZOOM_STEP = 1.4;
/** So many edges of one node hide what is below them. */
const MANY = 60;

interface GraphPictureProps {
  picture: Picture;
  start: string | undefined;
  chosen: string | undefined;
  /** The nodes that were looked for; undefined: none was. */
  found: ReadonlySet<string> | undefined;
  onChoose: (id: string | undefined) => void;
  onOpen: (id: string) => void;
}

/**
 * The nodes and edges. What lies in focus (the chosen node with its neighbours, or what was looked for) is drawn over the rest,
 * which is dimmed; so a choice renders the focus and the labels alone.
 */
export function GraphPicture({ picture, start, chosen, found, onChoose, onOpen }: GraphPictureProps) {
  const { nodes, edges } = picture;
  const frame = useRef<SVGSVGElement>(null);
  const moved = useRef<SVGGElement>(null);
  const view = useView(picture, frame, moved, (pressed) => onChoose(pressed?.id));
  const { size } = view;
  const byId = useMemo(() => new Map(nodes.map((node) => [node.id, node])), [nodes]);
  const node = chosen === undefined ? undefined : byId.get(chosen);
  const near = useMemo(
    () => edges.filter(({ source, target }) => source.id === chosen || target.id === chosen),
    [edges, chosen],
  );
  const joined = useMemo(() => new Set(near.flatMap(({ source, target }) => [source.id, target.id])), [near]);
  const focus = useMemo(
    () =>
      found !== undefined
        ? nodes.filter(({ id }) => found.has(id))
        : nodes.filter(({ id }) => id === chosen || joined.has(id)),
    [nodes, found, chosen, joined],
  );
  const labels = useMemo(() => {
    const named = [...focus].sort((a, b) => b.degree - a.degree).map(({ id }) => id);
    const first = [...new Set([chosen, start].filter((id) => id !== undefined)), ...named];
    const shown = focus.length > 0 ? focus : nodes;
    return labelsFor(shown, picture, { zoom: view.zoom, size, frame: view.frame, first });
  }, [nodes, picture, focus, chosen, start, view.zoom, view.frame, size]);

  // A node that is chosen by a key or from the list may lie outside of what is seen.
  const { bringIntoSight } = view;
  const latest = useRef(bringIntoSight);
  useEffect(() => {
    latest.current = bringIntoSight;
  });
  useEffect(() => {
    if (node !== undefined) latest.current(node);
  }, [node]);

  const onKeyDown = (event: KeyboardEvent) => {
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (isDirection(key)) {
      const next = node === undefined ? firstOf(nodes, start) : nodeTowards(nodes, node, joined, key);
      if (next !== undefined) onChoose(next.id);
    } else if (key === 'Enter' && node !== undefined) onOpen(node.id);
    else if (key === 'Escape') onChoose(undefined);
    else if (key === '+' || key === '=') view.zoomBy(ZOOM_STEP);
    else if (key === '-') view.zoomBy(1 / ZOOM_STEP);
    else if (key === '0') view.showWhole();
    else return;
    event.preventDefault();
  };

  return (
    <div className="graph-picture">
      {/* The element takes the keys that walk through the graph, as its label says; the list beside it needs none of them. */}
      <svg
        ref={frame}
        role="application"
        aria-label={t.graph.picture}
        tabIndex={0}
        onKeyDown={onKeyDown}
        {...view.handlers}
      >
        <g ref={moved}>
          <g
            transform={`scale(${view.zoom})`}
            className={focus.length > 0 || found !== undefined ? 'graph-dimmed' : ''}
          >
            <Drawing picture={picture} size={size} />
          </g>
          <g transform={`scale(${view.zoom})`}>
            {found === undefined && (
              <Edges edges={near} className={near.length > MANY ? 'edge edge-near edge-many' : 'edge edge-near'} />
            )}
            {focus.map((one) => (
              <Node
                key={one.id}
                node={one}
                size={size}
                state={one.id === chosen ? 'node-chosen' : one.id === start ? 'node-start' : ''}
              />
            ))}
          </g>
          {labels.map(({ id, text, x, y }) => (
            <text key={id} className={id === chosen ? 'node-label node-label-chosen' : 'node-label'} x={x} y={y}>
              {text}
            </text>
          ))}
        </g>
      </svg>
      <div className="graph-zoom">
        <button className="button button-small" aria-label={t.graph.zoomIn} onClick={() => view.zoomBy(ZOOM_STEP)}>
          +
        </button>
        <button className="button button-small" aria-label={t.graph.zoomOut} onClick={() => view.zoomBy(1 / ZOOM_STEP)}>
          −
        </button>
        <button className="button button-small" onClick={view.showWhole}>
          {t.graph.all}
        </button>
      </div>
    </div>
  );
}

/** All nodes and edges, rendered once for a picture. */
const Drawing = memo(function Drawing({ picture: { nodes, edges }, size }: { picture: Picture; size: number }) {
  return (
    <>
      <Edges edges={edges} className="edge" />
      {nodes.map((node) => (
        <Node key={node.id} node={node} size={size} state="" />
      ))}
    </>
  );
});

/** One path: an element for each of some thousand edges is slow to draw. */
function Edges({ edges, className }: { edges: Picture['edges']; className: string }) {
  const path = useMemo(() => edges.map(({ source, target }) => `M${at(source)}L${at(target)}`).join(''), [edges]);
  return <path className={className} d={path} />;
}

const at = ({ x, y }: PlacedNode) => `${x.toFixed(1)} ${y.toFixed(1)}`;

function Node({ node: { kind, label, x, y, radius }, size, state }: { node: PlacedNode; size: number; state: string }) {
  return (
    <circle className={`node node-${kind} ${state}`} cx={x.toFixed(1)} cy={y.toFixed(1)} r={radius * size}>
      <title>{label}</title>
    </circle>
  );
}

/** Where the keys begin: the node from which one walks, or the one with the most neighbours. */
const firstOf = (nodes: readonly PlacedNode[], start: string | undefined) =>
  nodes.find(({ id }) => id === start) ?? [...nodes].sort((a, b) => b.degree - a.degree)[0];
