import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { Suspense, useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { ApiProblem } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import type { ChatSource } from '../api/shapes.ts';
import { lazily } from '../layout/lazily.ts';
import { Empty, Loading, LoadProblem } from '../layout/Problems.tsx';
import { useTitle } from '../layout/title.ts';
import { forgetDraftsOf } from '../session/drafts.ts';
import { t } from '../texts/en.ts';
import { Composer } from './Composer.tsx';
import { type LiveChat, openChat, readConversation } from './live-chat.ts';
import { liveChats } from './live-chats.ts';
import { onTurnElsewhere } from './other-tabs.ts';
import { Turns } from './Turns.tsx';
import './chat.css';

const PassagePanel = lazily(() => import('../documents/PassagePanel.tsx'));

export function ChatPage() {
  const { project, conversation } = useParams({ strict: false });
  if (project === undefined) return null;
  return conversation === undefined ? (
    <OpenChat key={project} chat={openChat(`new:${project}`, project)} />
  ) : (
    <StoredChat key={conversation} project={project} conversation={conversation} />
  );
}

const NOTHING_CHANGES = () => () => undefined;

function StoredChat({ project, conversation }: { project: string; conversation: string }) {
  useTitle(t.chat.title);
  const known = liveChats.get(conversation);
  const branch = useSyncExternalStore(known?.subscribe ?? NOTHING_CHANGES, () => liveChats.get(conversation)?.branch);
  const { data, error, refetch } = useQuery({
    queryKey: ['conversation', conversation, branch ?? ''],
    queryFn: () => readConversation(conversation, { branch }),
    staleTime: 0,
    // What was read for an earlier visit would take the place of what has come since.
    gcTime: 0,
    refetchOnWindowFocus: 'always',
  });
  const chat = known ?? (data === undefined ? undefined : openChat(conversation, project, data));
  useEffect(() => {
    if (data !== undefined) chat?.takeUp(data);
  }, [chat, data]);
  useEffect(
    () =>
      onTurnElsewhere((id) => {
        if (id === conversation) void queries.invalidateQueries({ queryKey: ['conversation', conversation] });
      }),
    [conversation],
  );

  const isGone = error instanceof ApiProblem && error.status === 404;
  useEffect(() => {
    if (isGone) forgetDraftsOf(project, conversation);
  }, [isGone, project, conversation]);

  if (chat !== undefined) return <OpenChat chat={chat} />;
  if (isGone) return <Empty title={t.chat.gone} />;
  return (
    <div className="page">
      <h1 className="hidden-visually">{t.chat.title}</h1>
      {error === null ? <Loading lines={8} /> : <LoadProblem error={error} onRetry={() => void refetch()} />}
    </div>
  );
}

/** The passage that is open beside the chat, with the answer that cites it. */
interface OpenPassage {
  source: ChatSource;
  number: number;
}

function OpenChat({ chat }: { chat: LiveChat }) {
  const { project } = chat;
  useTitle(t.chat.title);
  const [passage, setPassage] = useState<OpenPassage>();
  const opener = useRef<HTMLElement>(null);
  const onPassage = useCallback((source: ChatSource, number: number) => {
    opener.current = document.activeElement as HTMLElement | null;
    setPassage({ source, number });
  }, []);
  useEffect(() => {
    if (passage === undefined) opener.current?.focus({ preventScroll: true });
  }, [passage]);
  const navigate = useNavigate();
  const conversation = useSyncExternalStore(chat.subscribe, () => chat.conversation);
  useEffect(() => {
    if (conversation === undefined) return;
    // The first answer gives the conversation its address; the page stays as it is.
    if (location.pathname === `/p/${encodeURIComponent(project)}/chat`) {
      void navigate({ to: '/p/$project/chat/$conversation', params: { project, conversation }, replace: true });
    }
  }, [conversation, navigate, project]);

  return (
    <div className={passage === undefined ? 'chat' : 'chat chat-with-passage'}>
      <h1 className="hidden-visually">{t.chat.title}</h1>
      <div className="chat-column">
        <Turns chat={chat} onPassage={onPassage} />
        <Composer chat={chat} />
      </div>
      {passage !== undefined && (
        <Suspense fallback={null}>
          <PassagePanel
            key={`${passage.source.document} ${passage.source.chunk}`}
            project={project}
            source={passage.source}
            number={passage.number}
            onClose={() => setPassage(undefined)}
          />
        </Suspense>
      )}
    </div>
  );
}
