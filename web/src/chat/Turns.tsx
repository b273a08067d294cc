import { memo, useLayoutEffect, useRef, useState, useSyncExternalStore } from 'react';
import { ApiProblem } from '../api/client.ts';
import type { ChatSource } from '../api/shapes.ts';
import { undoQueue } from '../layout/undo.ts';
import { useDraft } from '../session/drafts.ts';
import { t } from '../texts/en.ts';
import { Welcome } from '../tour/Welcome.tsx';
import { Answer } from './Answer.tsx';
import { composerDraft } from './Composer.tsx';
import type { LiveChat } from './live-chat.ts';
import { type ShownTurn, textOf, turnsIn } from './message.ts';
import { Question } from './Question.tsx';

/** How near its end a reader counts as reading along. */
const NEAR_END_PX = 80;

export function Turns({
  chat,
  onPassage,
}: {
  chat: LiveChat;
  onPassage: (source: ChatSource, number: number) => void;
}) {
  const messages = useSyncExternalStore(chat.chat.subscribe, () => chat.chat.messages);
  const status = useSyncExternalStore(chat.chat.subscribe, () => chat.chat.status);
  const { busy, error } = chat.chat;
  const phase = useSyncExternalStore(chat.subscribe, () => chat.phase);
  const earlier = useSyncExternalStore(chat.subscribe, () => chat.earlier);
  const hidden = useSyncExternalStore(chat.subscribe, () => chat.hidden);
  const turns = turnsIn(messages).filter(({ answer }) => answer === undefined || !hidden.has(answer.id));
  const isEmpty = turns.length === 0 && earlier === 0;
  const { place, column, onScroll } = useReadingPlace(isEmpty, turns[0]?.question.id, [messages, status, phase]);

  if (isEmpty) return <Welcome project={chat.project} onAsk={(text) => chat.send(text)} />;
  const replaced = messages.at(-1)?.metadata?.asking?.replaces;
  return (
    <div className="turns" ref={place} onScroll={onScroll}>
      <div className="turns-column" ref={column}>
        {earlier > 0 && <Earlier number={earlier} onRead={() => chat.readEarlier()} />}
        {turns.map((turn, index) => (
          <Turn
            key={turn.question.id}
            chat={chat}
            question={turn.question}
            answer={turn.answer}
            busy={busy}
            isLast={index === turns.length - 1}
            onPassage={onPassage}
          />
        ))}
        <Waiting phase={phase} />
        {error !== undefined && (
          <Refused
            error={error}
            onRetry={() => chat.retry()}
            onBack={replaced === undefined ? undefined : () => void chat.show(replaced)}
          />
        )}
        <p className="hidden-visually" role="status">
          {busy ? t.chat.started : messages.at(-1)?.role === 'assistant' ? t.chat.done : ''}
        </p>
      </div>
    </div>
  );
}

/** Keeps the end in sight for those who read along, and the place of all others where earlier turns come in front. */
function useReadingPlace(isEmpty: boolean, first: string | undefined, changes: readonly unknown[]) {
  const place = useRef<HTMLDivElement>(null);
  const column = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const before = useRef({ first, heightPx: 0 });
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return;
    const grownPx = element.scrollHeight - before.current.heightPx;
    if (atEnd.current) element.scrollTop = element.scrollHeight;
    else if (before.current.first !== first && grownPx > 0) element.scrollTop += grownPx;
    before.current = { first, heightPx: element.scrollHeight };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the changes are those that the caller names
  }, [first, ...changes]);
  // What is beside the turns, and the words still to come, change how much room they have.
  useLayoutEffect(() => {
    const resized = new ResizeObserver(() => {
      if (atEnd.current && place.current !== null) place.current.scrollTop = place.current.scrollHeight;
    });
    for (const element of [place.current, column.current]) if (element !== null) resized.observe(element);
    return () => resized.disconnect();
  }, [isEmpty]);
  const onScroll = () => {
    if (place.current === null) return;
    const { scrollHeight, scrollTop, clientHeight } = place.current;
    atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  };
  return { place, column, onScroll };
}

function Earlier({ number, onRead }: { number: number; onRead: () => Promise<void> }) {
  const [state, setState] = useState<'idle' | 'reading' | 'failed'>('idle');
  const read = () => {
    setState('reading');
    onRead().then(
      () => setState('idle'),
      () => setState('failed'),
    );
  };
  return (
    <>
      <button className="button button-small earlier" disabled={state === 'reading'} onClick={read}>
        {t.chat.earlier(number)}
      </button>
      {state === 'failed' && <p className="state-line">{t.chat.earlierAway}</p>}
    </>
  );
}

interface TurnProps extends ShownTurn {
  chat: LiveChat;
  busy: boolean;
  isLast: boolean;
  onPassage: (source: ChatSource, number: number) => void;
}

/** Rendered again only when its own turn changed: there may be thousands, and a growing answer changes only the last. */
const Turn = memo(function Turn({ chat, question, answer, busy, isLast, onPassage }: TurnProps) {
  const [, setDraft] = useDraft(composerDraft(chat));
  const growing = busy && isLast;
  const text = textOf(question);
  return (
    <section className={isLast ? 'turn' : 'turn turn-before'}>
      <Question
        text={text}
        busy={busy}
        onEdit={answer === undefined ? undefined : (edited) => chat.edit(answer.id, edited)}
        onToComposer={() => {
          setDraft(text);
          document.getElementById('composer')?.focus();
        }}
      />
      {answer !== undefined && (
        <Answer
          message={answer}
          growing={growing}
          busy={busy}
          onPassage={onPassage}
          onAgain={() => chat.regenerate(answer.id)}
          onShow={(messageId) => chat.show(messageId)}
          onRate={(feedback) => chat.rate(answer.id, feedback)}
          onDelete={() => deleteWithUndo(chat, answer.id, text)}
        />
      )}
    </section>
  );
});

function deleteWithUndo(chat: LiveChat, messageId: string, text: string): void {
  const show = () => chat.hide(messageId, false);
  chat.hide(messageId, true);
  undoQueue.add(t.chat.turnDeleted(text), (leaving) => void chat.deleteTurn(messageId, leaving).catch(show), show);
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

function Refused({ error, onRetry, onBack }: { error: Error; onRetry: () => void; onBack: (() => void) | undefined }) {
  const noCredits = error instanceof ApiProblem && error.status === 402;
  return (
    <div className="refused" role="alert">
      <p>{noCredits ? t.chat.noCredits : error.message}</p>
      <div className="row">
        <button className="button button-small" onClick={onRetry}>
          {t.chat.retry}
        </button>
        {onBack !== undefined && (
          <button className="button button-quiet button-small" onClick={onBack}>
            {t.chat.backToAnswer}
          </button>
        )}
      </div>
    </div>
  );
}
