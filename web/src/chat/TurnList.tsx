import { Suspense, useLayoutEffect, useRef, useSyncExternalStore } from 'react';
import { t } from '../texts/en.ts';
import { DEMO_PROJECT, TourGoesOn } from '../tour/Tour.tsx';
import { EarlierTurns } from './EarlierTurns.tsx';
import { lazily } from '../layout/lazily.ts';
import { type ShownTurn, textOf } from './message.ts';
import { Refused, Turn, Waiting } from './Turn.tsx';
import type { TurnsProps } from './Turns.tsx';
import { useFindKey } from './find-key.ts';
import { useTurnRows } from './turn-rows.ts';

const FindBar = lazily(() => import('./FindBar.tsx'));

/** Only the turns near the screen are in the page: there may be thousands. */
export default function TurnList({
  chat,
  turns,
  earlier,
  onPassage,
}: TurnsProps & { turns: ShownTurn[]; earlier: number }) {
  useSyncExternalStore(chat.chat.subscribe, () => chat.chat.status);
  const { busy, error } = chat.chat;
  const phase = useSyncExternalStore(chat.subscribe, () => chat.phase);
  const place = useRef<HTMLDivElement>(null);
  const { rows, onScroll, onTouch } = useTurnRows(place, turns, earlier > 0);
  const finding = useFindKey(chat, () => earlier > 0 || rows.getVirtualItems().length < turns.length);
  const last = turns.at(-1);
  const asking = last?.question.metadata?.asking;
  const asked = asking === undefined ? undefined : last?.question.id;
  useLayoutEffect(() => {
    if (asked !== undefined) rows.scrollToEnd();
  }, [asked, rows]);

  return (
    <>
      {finding && (
        <Suspense fallback={null}>
          <FindBar chat={chat} turns={turns} earlier={earlier} place={place} rows={rows} />
        </Suspense>
      )}
      <div className="turns" ref={place} onScroll={onScroll}>
        <div className="turns-column" style={{ height: rows.getTotalSize() }}>
          {earlier > 0 && <EarlierTurns number={earlier} onRead={() => chat.readEarlier()} />}
          <ol className="plain-list">
            {rows.getVirtualItems().map(({ index, key, start }) => {
              const turn = turns[index];
              if (turn === undefined) return null;
              const isLast = turn === last;
              return (
                <li
                  key={key}
                  ref={rows.measureElement}
                  data-index={index}
                  className="turn"
                  aria-posinset={earlier + index + 1}
                  aria-setsize={earlier + turns.length}
                  style={{ transform: `translateY(${start}px)` }}
                  onFocusCapture={() => onTouch(turn.question.id)}
                  onPointerDownCapture={() => onTouch(turn.question.id)}
                >
                  <Turn
                    chat={chat}
                    question={turn.question}
                    answer={turn.answer}
                    busy={busy}
                    isLast={isLast}
                    onPassage={onPassage}
                  />
                  {isLast && <Waiting phase={phase} />}
                  {isLast && !busy && chat.project === DEMO_PROJECT && (
                    <TourGoesOn
                      asked={turns.map(({ question }) => textOf(question))}
                      onAsk={(question) => chat.send(question)}
                    />
                  )}
                  {isLast && error !== undefined && (
                    <Refused
                      error={error}
                      onRetry={() => chat.retry()}
                      onBack={asking?.replaces === undefined ? undefined : () => void chat.show(asking.replaces ?? '')}
                    />
                  )}
                </li>
              );
            })}
          </ol>
        </div>
        <p className="hidden-visually" role="status">
          {busy ? t.chat.started : last?.answer === undefined ? '' : t.chat.done}
        </p>
      </div>
    </>
  );
}
