import { useEffect, useSyncExternalStore } from 'react';
import type { LiveChat } from './live-chat.ts';

/**
 * Ctrl+F, or Command+F, opens the field that finds in all turns, where some of them are not in the page. Pressed once more, it
 * is the browser's.
 */
export function useFindKey(chat: LiveChat, hasMore: () => boolean): boolean {
  const finding = useSyncExternalStore(chat.subscribe, () => chat.finding);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isFind =
        event.key.toLowerCase() === 'f' && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
      if (!isFind || chat.finding || !hasMore() || document.querySelector('[role=dialog]') !== null) return;
      event.preventDefault();
      chat.setFinding(true);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
  useEffect(
    () => () => {
      chat.finding = false;
    },
    [chat],
  );
  return finding;
}
