import { t } from '../texts/en.ts';
import type { GraphNode, Kind } from './walk.ts';

const KINDS = Object.keys(t.graph.kinds) as Kind[];

/** What is drawn, and from where. */
export function GraphControls({
  text,
  onText,
  onFirst,
  start,
  onWhole,
  steps,
  onSteps,
  kinds,
  onKinds,
}: {
  /** What is looked for. */
  text: string;
  onText: (text: string) => void;
  /** Chooses the first node that was found. */
  onFirst: () => void;
  start: GraphNode | undefined;
  onWhole: () => void;
  steps: number;
  onSteps: (steps: number) => void;
  kinds: ReadonlySet<Kind>;
  onKinds: (kinds: ReadonlySet<Kind>) => void;
}) {
  const toggle = (kind: Kind, isShown: boolean) => {
    const next = new Set(kinds);
    if (isShown) next.add(kind);
    else next.delete(kind);
    onKinds(next);
  };
  return (
    <div className="row graph-controls">
      <input
        className="input"
        type="search"
        aria-label={t.graph.find}
        placeholder={t.graph.find}
        value={text}
        onChange={({ target }) => onText(target.value)}
        onKeyDown={({ key }) => {
          if (key === 'Enter') onFirst();
          else if (key === 'Escape') onText('');
        }}
      />
      {start !== undefined && (
        <>
          <span className="small soft graph-start" title={start.label}>
            {t.graph.walking(start.label)}
          </span>
          <label className="row small">
            {t.graph.steps}
            <input
              type="range"
              min={1}
              max={4}
              value={steps}
              onChange={({ target }) => onSteps(Number(target.value))}
            />
            <span className="number">{steps}</span>
          </label>
          <button className="button button-small" onClick={onWhole}>
            {t.graph.whole}
          </button>
        </>
      )}
      <fieldset className="row graph-kinds">
        <legend className="hidden-visually">{t.graph.show}</legend>
        {KINDS.map((kind) => (
          <label key={kind} className={`graph-kind node-${kind}`}>
            <input type="checkbox" checked={kinds.has(kind)} onChange={({ target }) => toggle(kind, target.checked)} />
            {t.graph.kinds[kind]}
          </label>
        ))}
      </fieldset>
    </div>
  );
}
