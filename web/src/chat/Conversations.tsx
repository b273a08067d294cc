import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Suspense, useState } from 'react';
import { lazily } from '../layout/lazily.ts';
import { t } from '../texts/en.ts';
import { conversationsQuery } from './conversations-query.ts';
import './conversations.css';

/** Loaded after the page: it is beside it, and has the code of long lists. */
const ConversationRows = lazily(() => import('./ConversationRows.tsx'));

/** With fewer, a filter is in the way. */
const FILTERED_FROM = 8;

export function Conversations({ project }: { project: string }) {
  const { data, error } = useQuery(conversationsQuery);
  const [filter, setFilter] = useState('');
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const ofProject = (data ?? []).filter(
    ({ project_id, conversation_id }) => project_id === project && !hidden.has(conversation_id),
  );
  const found = ofProject.filter(({ title }) => title.toLowerCase().includes(filter.trim().toLowerCase()));
  return (
    <section className="conversations" aria-label={t.chat.conversations}>
      <div className="row spread">
        <h2 className="small soft">{t.chat.conversations}</h2>
        <Link className="button button-quiet button-small" to="/p/$project/chat" params={{ project }}>
          {t.chat.newChat}
        </Link>
      </div>
      {ofProject.length >= FILTERED_FROM && (
        <input
          className="input conversation-filter"
          type="search"
          aria-label={t.chat.filter}
          placeholder={t.chat.filter}
          value={filter}
          onChange={({ target }) => setFilter(target.value)}
        />
      )}
      {error !== null && data === undefined && <p className="small soft">{t.chat.listAway}</p>}
      {data !== undefined && found.length === 0 && (
        <p className="small soft">{ofProject.length === 0 ? t.chat.noneYet : t.chat.noneFound}</p>
      )}
      {found.length > 0 && (
        <Suspense fallback={null}>
          <ConversationRows
            conversations={found}
            onHide={(id, hide) =>
              setHidden((before) => {
                const after = new Set(before);
                if (hide) after.add(id);
                else after.delete(id);
                return after;
              })
            }
          />
        </Suspense>
      )}
    </section>
  );
}
