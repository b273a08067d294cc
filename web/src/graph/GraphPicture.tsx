import { useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Graph } from '../api/shapes.ts';
import { t } from '../texts/en.ts';
import { layoutOf, type PlacedNode } from './layout.ts';

/** With more than these only documents and what is near the chosen node have their names written. */
const NAMED = 30;
const LABEL_CHARS = 28;
const LABEL_PX = 11;

export function GraphPicture({
  graph,
  start,
  chosen,
  onChoose,
}: {
  graph: Graph;
  start: string | undefined;
  chosen: string | undefined;
  onChoose: (id: string) => void;
}) {
  const { nodes, edges, box } = useMemo(() => layoutOf(graph), [graph]);
  const [view, setView] = useState({ zoom: 1, x: 0, y: 0 });
  const drag = useRef<{ x: number; y: number }>(undefined);
  const picture = useRef<SVGSVGElement>(null);
  const [widthPx, setWidthPx] = useState(640);
  useLayoutEffect(() => {
    const svg = picture.current;
    if (svg === null) return;
    const resized = new ResizeObserver(() => setWidthPx(Math.max(1, svg.clientWidth)));
    resized.observe(svg);
    return () => resized.disconnect();
  }, []);
  const near = new Set(
    edges.flatMap(({ source, target }) =>
      source.id === chosen ? [target.id] : target.id === chosen ? [source.id] : [],
    ),
  );
  const [left, top, width, height] = box;
  const shownWidth = width / view.zoom;
  const shownHeight = height / view.zoom;
  const viewBox = [
    left + (width - shownWidth) / 2 + view.x,
    top + (height - shownHeight) / 2 + view.y,
    shownWidth,
    shownHeight,
  ].join(' ');
  const zoom = (factor: number) =>
    setView((before) => ({ ...before, zoom: Math.min(8, Math.max(0.5, before.zoom * factor)) }));
  const unitsPerPixel = shownWidth / widthPx;
  const isNamed = ({ id, kind }: PlacedNode) =>
    nodes.length <= NAMED || kind === 'document' || id === chosen || near.has(id) || view.zoom > 2;

  return (
    <div className="graph-picture">
      <svg
        ref={picture}
        viewBox={viewBox}
        role="img"
        aria-label={t.graph.picture}
        onWheel={({ deltaY }) => zoom(deltaY < 0 ? 1.15 : 1 / 1.15)}
        onPointerDown={({ clientX, clientY, currentTarget, pointerId, target }) => {
          if (target !== currentTarget) return;
          drag.current = { x: clientX, y: clientY };
          currentTarget.setPointerCapture(pointerId);
        }}
        onPointerMove={({ clientX, clientY }) => {
          const from = drag.current;
          if (from === undefined) return;
          setView(({ x, y, ...rest }) => ({
            ...rest,
            x: x - (clientX - from.x) * unitsPerPixel,
            y: y - (clientY - from.y) * unitsPerPixel,
          }));
          drag.current = { x: clientX, y: clientY };
        }}
        onPointerUp={() => (drag.current = undefined)}
      >
        {edges.map(({ source, target }, index) => (
          <line
            key={index}
            className={source.id === chosen || target.id === chosen ? 'edge edge-near' : 'edge'}
            x1={source.x}
            y1={source.y}
            x2={target.x}
            y2={target.y}
          />
        ))}
        {nodes.map((node) => (
          // Without a mouse one walks through the list beside the picture.

          <g
            key={node.id}
            className={`node node-${node.kind} ${node.id === chosen ? 'node-chosen' : ''} ${node.id === start ? 'node-start' : ''}`}
            transform={`translate(${node.x} ${node.y})`}
            onClick={() => onChoose(node.id)}
          >
            <circle r={node.radius} />
            {isNamed(node) && (
              <text y={-node.radius - 4} fontSize={LABEL_PX * unitsPerPixel}>
                {short(node.label)}
              </text>
            )}
            <title>{node.label}</title>
          </g>
        ))}
      </svg>
      <div className="graph-zoom">
        <button className="button button-small" aria-label={t.graph.zoomIn} onClick={() => zoom(1.4)}>
          +
        </button>
        <button className="button button-small" aria-label={t.graph.zoomOut} onClick={() => zoom(1 / 1.4)}>
          −
        </button>
      </div>
    </div>
  );
}

/** A path by its end, anything else by its beginning. */
function short(label: string): string {
  const name = label.slice(label.lastIndexOf('/') + 1) || label;
  return name.length <= LABEL_CHARS ? name : `${name.slice(0, LABEL_CHARS - 1)}…`;
}
