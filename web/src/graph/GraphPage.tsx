import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { api, dataOf } from '../api/client.ts';
import type { Graph } from '../api/shapes.ts';
import { Empty, Loading, LoadProblem } from '../layout/Problems.tsx';
import { useTitle } from '../layout/title.ts';
import { t } from '../texts/en.ts';
import { GraphControls } from './GraphControls.tsx';
import { GraphPicture } from './GraphPicture.tsx';
import { GraphSide } from './GraphSide.tsx';
import { layoutOf, type Picture } from './layout.ts';
import { densest, type Kind, walkFrom } from './walk.ts';
import './graph.css';

const ROUTE = '/shell/p/$project/graph';
const READ = 3000;
/** More are not readable, and not drawn at once either. */
const DRAWN = 600;
/** With more documents than this the headings in them are left out at first. */
const WITH_HEADINGS = 150;

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
  const [kinds, setKinds] = useState<ReadonlySet<Kind>>(() => kindsAtFirst(graph));
  const [chosen, setChosen] = useState(start?.id);
  const [text, setText] = useState('');
  const navigate = useNavigate();
  const whole = useMemo(() => walkFrom(graph, start?.id, steps, kinds), [graph, start?.id, steps, kinds]);
  const shown = useMemo(() => densest(whole, DRAWN, start?.id), [whole, start?.id]);
  const wanted = text.trim().toLowerCase();
  const found = useMemo(
    () => (wanted === '' ? undefined : whole.nodes.filter(({ label }) => label.toLowerCase().includes(wanted))),
    [whole, wanted],
  );
  const foundIds = useMemo(() => found && new Set(found.map(({ id }) => id)), [found]);

  const walkTo = (id: string | undefined) =>
    void navigate({ to: '/p/$project/graph', params: { project }, search: id === undefined ? {} : { from: id } });
  const open = (id: string) => {
    const node = graph.nodes.find((candidate) => candidate.id === id);
    if (node?.kind !== 'document') walkTo(id);
    else void navigate({ to: '/p/$project/documents/read/$', params: { project, _splat: node.label } });
  };
  const choose = (id: string | undefined) => {
    setChosen(id);
    setText('');
  };
  return (
    <>
      <GraphControls
        text={text}
        onText={setText}
        onFirst={() => found?.[0] !== undefined && choose(found[0].id)}
        start={start}
        onWhole={() => walkTo(undefined)}
        steps={steps}
        onSteps={setSteps}
        kinds={kinds}
        onKinds={setKinds}
      />
      <div className="graph-columns">
        <Placed graph={shown}>
          {(picture) => (
            <GraphPicture
              picture={picture}
              start={start?.id}
              chosen={chosen}
              found={foundIds}
              onChoose={choose}
              onOpen={open}
            />
          )}
        </Placed>
        <GraphSide project={project} graph={whole} chosen={chosen} found={found} onChoose={choose} onWalk={walkTo} />
      </div>
      <p className="small soft number">{t.graph.nodes(whole.nodes.length, shown.nodes.length)}</p>
    </>
  );
}

function kindsAtFirst({ nodes }: Graph): ReadonlySet<Kind> {
  const documents = nodes.filter(({ kind }) => kind === 'document').length;
  return new Set<Kind>(documents > WITH_HEADINGS ? ['document'] : ['document', 'heading']);
}

/** Gives each node its place. The picture before is shown until the new one is ready. */
function Placed({ graph, children }: { graph: Graph; children: (picture: Picture) => React.ReactNode }) {
  const [aspect, setAspect] = useState<number>();
  const [picture, setPicture] = useState<Picture>();
  useEffect(() => {
    if (aspect === undefined) return undefined;
    const stopping = new AbortController();
    layoutOf(graph, aspect, stopping.signal)
      .then(setPicture)
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) throw error;
      });
    return () => stopping.abort();
  }, [graph, aspect]);
  return (
    <div
      className="graph-place"
      ref={(place) => {
        // Once: a picture that is placed anew whenever the window changes would be hard to follow.
        if (place !== null) setAspect((known) => known ?? place.clientWidth / Math.max(1, place.clientHeight));
      }}
    >
      {picture === undefined ? <Loading lines={8} /> : children(picture)}
    </div>
  );
}
