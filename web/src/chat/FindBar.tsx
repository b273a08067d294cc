import { type RefObject, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { t } from '../texts/en.ts';
import { turnsWith } from './find.ts';
import { type Rows, useFoundPlace } from './found-place.ts';
import type { LiveChat } from './live-chat.ts';
import type { ShownTurn } from './message.ts';

/** Finds words in all turns of a conversation: the browser finds those alone that are in the page. */
export default function FindBar({
  chat,
  turns,
  earlier,
  place,
  rows,
}: {
  chat: LiveChat;
  turns: readonly ShownTurn[];
  earlier: number;
  /** Has the turns in it. */
  place: RefObject<HTMLElement | null>;
  rows: Rows;
}) {
  const onShow = useFoundPlace(place, rows);
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState<string>();
  const [failed, setFailed] = useState(false);
  const words = useDeferredValue(typed.trim());
  const found = useMemo(() => turnsWith(turns, words), [turns, words]);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    chat.readAllEarlier().catch(() => setFailed(true));
  }, [chat]);
  useEffect(() => input.current?.focus(), []);

  // The last turn that has the words is the nearest to the reader, who comes from the end.
  const known = found.findIndex((index) => turns[index]?.question.id === at);
  const current = known < 0 ? found.length - 1 : known;
  const turn = found[current];
  const isReading = earlier > 0 && !failed;
  useEffect(() => {
    if (!isReading) onShow(turn, words);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- a turn that grows is not scrolled to again
  }, [turn, words, isReading]);
  const go = (step: number) => {
    const next = found[(current + step + found.length) % found.length];
    setAt(next === undefined ? undefined : turns[next]?.question.id);
  };
  return (
    <form
      className="find-bar"
      role="search"
      aria-label={t.chat.find}
      onSubmit={(event) => {
        event.preventDefault();
        go(-1);
      }}
    >
      <input
        ref={input}
        className="input"
        type="search"
        aria-label={t.chat.find}
        placeholder={t.chat.find}
        value={typed}
        onChange={({ target }) => {
          setTyped(target.value);
          setAt(undefined);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') chat.setFinding(false);
          if (event.key !== 'Enter' || !event.shiftKey) return;
          // Else the form would go to the turn before.
          event.preventDefault();
          go(1);
        }}
      />
      <span className="small soft number find-count" role="status">
        {isReading
          ? t.chat.findReading
          : words === ''
            ? ''
            : found.length === 0
              ? t.chat.findNone
              : t.chat.findPlace(current + 1, found.length)}
        {failed && ` ${t.chat.findPart}`}
      </span>
      <button type="submit" className="button button-quiet button-small" disabled={found.length < 2}>
        {t.chat.findBefore}
      </button>
      <button
        type="button"
        className="button button-quiet button-small"
        disabled={found.length < 2}
        onClick={() => go(1)}
      >
        {t.chat.findNext}
      </button>
      <button type="button" className="button button-quiet button-small" onClick={() => chat.setFinding(false)}>
        {t.app.close}
      </button>
    </form>
  );
}
