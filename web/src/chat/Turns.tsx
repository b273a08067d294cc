import { Suspense, useMemo, useSyncExternalStore } from 'react';
import type { ChatSource } from '../api/shapes.ts';
import { lazily } from '../layout/lazily.ts';
import { Welcome } from '../tour/Welcome.tsx';
import type { LiveChat } from './live-chat.ts';
import { turnsIn } from './message.ts';

/** A new chat has no turns, so that it can be used before this code is there. */
const TurnList = lazily(() => import('./TurnList.tsx'));

export interface TurnsProps {
  chat: LiveChat;
  onPassage: (source: ChatSource, number: number) => void;
}

export function Turns({ chat, onPassage }: TurnsProps) {
  const messages = useSyncExternalStore(chat.chat.subscribe, () => chat.chat.messages);
  const earlier = useSyncExternalStore(chat.subscribe, () => chat.earlier);
  const hidden = useSyncExternalStore(chat.subscribe, () => chat.hidden);
  const turns = useMemo(
    () => turnsIn(messages).filter(({ answer }) => answer === undefined || !hidden.has(answer.id)),
    [messages, hidden],
  );
  if (turns.length === 0 && earlier === 0) {
    return <Welcome project={chat.project} onAsk={(text) => chat.send(text)} />;
  }
  return (
    <Suspense fallback={<div className="turns" />}>
      <TurnList chat={chat} turns={turns} earlier={earlier} onPassage={onPassage} />
    </Suspense>
  );
}
