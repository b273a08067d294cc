import { useChat } from '@ai-sdk/react';
import { useLayoutEffect, useRef, useState, useSyncExternalStore } from 'react';
import { ApiProblem } from '../api/client.ts';
import type { ChatSource } from '../api/shapes.ts';
import { useDraft } from '../session/drafts.ts';
import { t } from '../texts/en.ts';
import { Welcome } from '../tour/Welcome.tsx';
import { Answer } from './Answer.tsx';
import type { LiveChat } from './live-chat.ts';
import { textOf } from './message.ts';
import { composerDraft } from './Composer.tsx';

/** How many messages are in the page at first, and how many more each time: a conversation may have thousands. */
const SHOWN = 40;
/** How near its end a reader counts as reading along. */
const NEAR_END_PX = 80;
/** Between two drawings of a growing answer. */
const THROTTLE_MS = 40;

export function Turns({
  chat,
  onPassage,
}: {
  chat: LiveChat;
  onPassage: (source: ChatSource, number: number) => void;
}) {
  const { messages, status, error } = useChat({ chat: chat.chat, throttle: THROTTLE_MS });
  const phase = useSyncExternalStore(chat.subscribe, () => chat.phase);
  const [shown, setShown] = useState(SHOWN);
  const [, setDraft] = useDraft(composerDraft(chat));
  const place = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const busy = status === 'submitted' || status === 'streaming';

  useLayoutEffect(() => {
    if (atEnd.current && place.current !== null) place.current.scrollTop = place.current.scrollHeight;
  }, [messages, status, phase]);

  const isEmpty = messages.length === 0;
  // What is beside the turns, and the words still to come, change how much room they have.
  const column = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const resized = new ResizeObserver(() => {
      if (atEnd.current && place.current !== null) place.current.scrollTop = place.current.scrollHeight;
    });
    for (const element of [place.current, column.current]) if (element !== null) resized.observe(element);
    return () => resized.disconnect();
  }, [isEmpty]);

  if (isEmpty) return <Welcome project={chat.project} onAsk={(text) => chat.send(text)} />;
  const visible = messages.slice(-shown);
  const hidden = messages.length - visible.length;
  return (
    <div
      className="turns"
      ref={place}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
      }}
    >
      <div className="turns-column" ref={column}>
        {hidden > 0 && (
          <button className="button button-small earlier" onClick={() => setShown(shown + SHOWN)}>
            {t.chat.earlier(Math.ceil(hidden / 2))}
          </button>
        )}
        {visible.map((message, index) =>
          message.role === 'user' ? (
            <Question
              key={message.id}
              text={textOf(message)}
              onEdit={() => {
                setDraft(textOf(message));
                document.getElementById('composer')?.focus();
              }}
            />
          ) : (
            <Answer
              key={message.id}
              message={message}
              growing={busy && index === visible.length - 1}
              onPassage={onPassage}
              onAgain={() => chat.send(textOf(visible[index - 1] ?? message))}
            />
          ),
        )}
        <Waiting phase={phase} />
        {error !== undefined && <Refused error={error} onRetry={() => chat.retry()} />}
        <p className="hidden-visually" role="status">
          {busy ? t.chat.started : messages.at(-1)?.role === 'assistant' ? t.chat.done : ''}
        </p>
      </div>
    </div>
  );
}

function Question({ text, onEdit }: { text: string; onEdit: () => void }) {
  return (
    <article className="question" aria-label={t.chat.you}>
      <p className="question-text">{text}</p>
      <div className="turn-actions">
        <button className="button button-quiet button-small" onClick={onEdit}>
          {t.chat.edit}
        </button>
      </div>
    </article>
  );
}

const WAITING: Partial<Record<LiveChat['phase'], string>> = {
  waiting: t.chat.thinking,
  queued: t.chat.queued,
  resuming: t.chat.resuming,
};

function Waiting({ phase }: { phase: LiveChat['phase'] }) {
  const text = WAITING[phase];
  return text === undefined ? null : <p className={`waiting waiting-${phase}`}>{text}</p>;
}

function Refused({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const noCredits = error instanceof ApiProblem && error.status === 402;
  return (
    <div className="refused" role="alert">
      <p>{noCredits ? t.chat.noCredits : error.message}</p>
      <button className="button button-small" onClick={onRetry}>
        {t.chat.retry}
      </button>
    </div>
  );
}
