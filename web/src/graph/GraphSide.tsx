import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Graph } from '../api/shapes.ts';
import { t } from '../texts/en.ts';
import { type GraphNode, neighboursOf } from './walk.ts';

const LISTED = 60;

/** The chosen node in words, with its neighbours; or the nodes that were found: the way through the graph without seeing it. */
export function GraphSide({
  project,
  graph,
  chosen,
  found,
  onChoose,
  onWalk,
}: {
  project: string;
  graph: Graph;
  chosen: string | undefined;
  /** The nodes that were looked for; undefined: none was. */
  found: readonly GraphNode[] | undefined;
  onChoose: (id: string | undefined) => void;
  onWalk: (id: string) => void;
}) {
  const byId = useMemo(() => new Map(graph.nodes.map((node) => [node.id, node])), [graph]);
  const neighbours = useMemo(() => neighboursOf(graph.edges), [graph]);
  const node = found !== undefined || chosen === undefined ? undefined : byId.get(chosen);
  const listed: readonly GraphNode[] =
    found ??
    (node === undefined
      ? graph.nodes.filter(({ kind }) => kind === 'document')
      : [...(neighbours.get(node.id) ?? [])].flatMap((id) => byId.get(id) ?? []));
  return (
    <aside className="graph-side" aria-label={t.graph.side}>
      <div role="status">
        {found !== undefined && <p className="small soft number">{t.graph.found(found.length)}</p>}
        {found === undefined && node === undefined && <p className="soft small">{t.graph.lead}</p>}
        {node !== undefined && (
          <>
            <p className={`small graph-kind node-${node.kind}`}>{t.graph.kinds[node.kind]}</p>
            <h2>{node.label}</h2>
          </>
        )}
      </div>
      {node !== undefined && (
        <>
          <div className="row">
            {node.kind === 'document' && (
              <Link
                className="button button-small"
                to="/p/$project/documents/read/$"
                params={{ project, _splat: node.label }}
              >
                {t.graph.open}
              </Link>
            )}
            <button className="button button-small" onClick={() => onWalk(node.id)}>
              {t.graph.centre}
            </button>
            <button className="button button-quiet button-small" onClick={() => onChoose(undefined)}>
              {t.graph.clear}
            </button>
          </div>
          <h3 className="small soft number">{t.graph.neighbours(listed.length)}</h3>
        </>
      )}
      <ul className="plain-list">
        {listed.slice(0, LISTED).map(({ id, kind, label }) => (
          <li key={id}>
            <button className={`graph-neighbour node-${kind}`} onClick={() => onChoose(id)}>
              {label}
            </button>
          </li>
        ))}
      </ul>
      {listed.length > LISTED && <p className="small soft number">{t.graph.more(listed.length - LISTED)}</p>}
    </aside>
  );
}
