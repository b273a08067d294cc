import { useQuery } from '@tanstack/react-query';
import { Suspense, useState, useSyncExternalStore } from 'react';
import { api, dataOf } from '../api/client.ts';
import { lazily } from '../layout/lazily.ts';
import { useDraft } from '../session/drafts.ts';
import { t } from '../texts/en.ts';
import { type LiveChat, MODEL } from './live-chat.ts';

const ScopeDialog = lazily(() => import('./ScopeDialog.tsx'));
const InstructionsDialog = lazily(() => import('../projects/InstructionsDialog.tsx'));

const modelsQuery = {
  queryKey: ['models'],
  queryFn: async () => (await dataOf(api.GET('/v1/api/models'))).models,
  staleTime: Infinity,
};

/** What the next question is asked about, by which model, and with which instructions. */
export function AskingOptions({ chat }: { chat: LiveChat }) {
  const scope = useSyncExternalStore(chat.subscribe, () => chat.scope);
  const conversation = useSyncExternalStore(chat.subscribe, () => chat.conversation);
  const finding = useSyncExternalStore(chat.subscribe, () => chat.finding);
  const [open, setOpen] = useState<'scope' | 'instructions'>();
  const paths = scope?.paths ?? [];
  return (
    <div className="asking-options">
      <button
        type="button"
        className="button button-quiet button-small"
        aria-haspopup="dialog"
        title={paths.join(', ')}
        onClick={() => setOpen('scope')}
      >
        {paths.length === 0
          ? t.chat.scopeWhole
          : t.chat.scopeChosen(
              paths.filter((path) => path.endsWith('/')).length,
              paths.filter((path) => !path.endsWith('/')).length,
            )}
      </button>
      <ModelChoice />
      <button
        type="button"
        className="button button-quiet button-small"
        aria-haspopup="dialog"
        onClick={() => setOpen('instructions')}
      >
        {t.projects.instructions}
      </button>
      {conversation !== undefined && (
        <button
          type="button"
          className="button button-quiet button-small"
          aria-pressed={finding}
          onClick={() => chat.setFinding(!finding)}
        >
          {t.chat.findShort}
        </button>
      )}
      <Suspense fallback={null}>
        {open === 'scope' && (
          <ScopeDialog
            project={chat.project}
            paths={paths}
            onClose={() => setOpen(undefined)}
            onChoose={(chosen) => chat.setScope(chosen.length === 0 ? undefined : { paths: chosen })}
          />
        )}
        {open === 'instructions' && <InstructionsDialog project={chat.project} onClose={() => setOpen(undefined)} />}
      </Suspense>
    </div>
  );
}

/** Only where there are several. A chosen model that is no longer there counts as none. */
function ModelChoice() {
  const { data: models = [] } = useQuery(modelsQuery);
  const [chosen, setChosen] = useDraft(MODEL);
  const isKnown = models.some(({ model }) => model === chosen);
  if (chosen !== '' && models.length > 0 && !isKnown) setChosen('');
  if (models.length < 2) return null;
  return (
    <select
      className="model-choice small"
      aria-label={t.chat.model}
      value={isKnown ? chosen : ''}
      onChange={({ target }) => setChosen(target.value)}
    >
      {models.map(({ model, default: first }) => (
        <option key={model} value={first ? '' : model}>
          {model}
        </option>
      ))}
    </select>
  );
}
