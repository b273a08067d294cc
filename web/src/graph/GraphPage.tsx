import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { api, dataOf } from '../api/client.ts';
import type { Graph } from '../api/shapes.ts';
import { Empty, Loading, LoadProblem } from '../layout/Problems.tsx';
import { useTitle } from '../layout/title.ts';
import { t } from '../texts/en.ts';
import { GraphPicture } from './GraphPicture.tsx';
import { densest, type GraphNode, type Kind, neighboursOf, walkFrom } from './walk.ts';
import './graph.css';

const ROUTE = '/shell/p/$project/graph';
const READ = 3000;
/** More are not readable, and not drawn at once either. */
const DRAWN = 500;
const KINDS = Object.keys(t.graph.kinds) as Kind[];

export function GraphPage() {
  const { project } = useParams({ from: ROUTE });
  const { from } = useSearch({ from: ROUTE });
  useTitle(t.graph.title);
  const { data, error, refetch } = useQuery({
    queryKey: ['graph', project],
    queryFn: () => {
      const params = { path: { project_id: project }, query: { limit: READ } };
      return dataOf(api.GET('/v1/api/projects/{project_id}/graph', { params }));
    },
    staleTime: 60_000,
  });
  return (
    <div className="page graph">
      <h1>{t.graph.title}</h1>
      {data === undefined && error === null && <Loading lines={8} />}
      {data === undefined && error !== null && (
        <LoadProblem error={error} text={t.graph.away} onRetry={() => void refetch()} />
      )}
      {data?.nodes.length === 0 && <Empty title={t.graph.empty} what={t.graph.emptyWhat} />}
      {data !== undefined && data.nodes.length > 0 && <Walk key={from} project={project} graph={data} from={from} />}
    </div>
  );
}

function Walk({ project, graph, from }: { project: string; graph: Graph; from: string | undefined }) {
  const start = graph.nodes.find(
    ({ kind, label, id }) => from !== undefined && (id === from || (kind === 'document' && label === from)),
  );
  const [steps, setSteps] = useState(2);
  const [kinds, setKinds] = useState<ReadonlySet<Kind>>(() => new Set<Kind>(['document', 'heading']));
  const [chosen, setChosen] = useState(start?.id);
  const navigate = useNavigate({ from: '/p/$project/graph' });
  const whole = useMemo(() => walkFrom(graph, start?.id, steps, kinds), [graph, start?.id, steps, kinds]);
  const shown = useMemo(() => densest(whole, DRAWN, start?.id), [whole, start?.id]);
  const walkTo = (id: string | undefined) => void navigate({ search: id === undefined ? {} : { from: id } });
  return (
    <>
      <div className="row graph-controls">
        <select
          className="input"
          aria-label={t.graph.from}
          value={start?.id ?? ''}
          onChange={({ target }) => walkTo(target.value === '' ? undefined : target.value)}
        >
          <option value="">{t.graph.whole}</option>
          {graph.nodes
            .filter(({ kind, id }) => kind === 'document' || id === start?.id)
            .map(({ id, label }) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
        </select>
        {start !== undefined && (
          <label className="row small">
            {t.graph.steps}
            <input
              type="range"
              min={1}
              max={4}
              value={steps}
              onChange={({ target }) => setSteps(Number(target.value))}
            />
            <span className="number">{steps}</span>
          </label>
        )}
        <fieldset className="row graph-kinds">
          <legend className="hidden-visually">{t.graph.show}</legend>
          {KINDS.map((kind) => (
            <label key={kind} className={`graph-kind node-${kind}`}>
              <input
                type="checkbox"
                checked={kinds.has(kind)}
                onChange={({ target }) => {
                  const next = new Set(kinds);
                  if (target.checked) next.add(kind);
                  else next.delete(kind);
                  setKinds(next);
                }}
              />
              {t.graph.kinds[kind]}
            </label>
          ))}
        </fieldset>
      </div>
      <div className="graph-columns">
        <GraphPicture graph={shown} start={start?.id} chosen={chosen} onChoose={setChosen} />
        <Chosen project={project} graph={whole} chosen={chosen} onChoose={setChosen} onWalk={walkTo} />
      </div>
      <p className="small soft number">{t.graph.nodes(whole.nodes.length, shown.nodes.length)}</p>
    </>
  );
}

const LISTED = 60;

/** The chosen node in words, with what it is joined to: the way through the graph without seeing it. */
function Chosen({
  project,
  graph,
  chosen,
  onChoose,
  onWalk,
}: {
  project: string;
  graph: Graph;
  chosen: string | undefined;
  onChoose: (id: string) => void;
  onWalk: (id: string) => void;
}) {
  const byId = useMemo(() => new Map(graph.nodes.map((node) => [node.id, node])), [graph]);
  const neighbours = useMemo(() => neighboursOf(graph.edges), [graph]);
  const node = chosen === undefined ? undefined : byId.get(chosen);
  const listed: GraphNode[] =
    node === undefined
      ? graph.nodes.filter(({ kind }) => kind === 'document')
      : [...(neighbours.get(node.id) ?? [])].flatMap((id) => byId.get(id) ?? []);
  return (
    <aside className="graph-side" aria-label={t.graph.neighbours} aria-live="polite">
      {node === undefined ? (
        <p className="soft small">{t.graph.lead}</p>
      ) : (
        <>
          <p className={`small graph-kind node-${node.kind}`}>{t.graph.kinds[node.kind]}</p>
          <h2>{node.label}</h2>
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
          </div>
          <h3 className="small soft">{t.graph.neighbours}</h3>
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
    </aside>
  );
}
