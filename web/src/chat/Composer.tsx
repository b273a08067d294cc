import { type KeyboardEvent, useId, useSyncExternalStore } from 'react';
import { useDraft } from '../session/drafts.ts';
import { t } from '../texts/en.ts';
import { AskingOptions } from './AskingOptions.tsx';
import type { LiveChat } from './live-chat.ts';

export const composerDraft = ({ project, conversation }: LiveChat) => `question:${project}:${conversation ?? 'new'}`;

/** Where a question is typed. What stands here is kept on the device until it is sent. */
export function Composer({ chat }: { chat: LiveChat }) {
  const busy = useSyncExternalStore(chat.chat.subscribe, () => chat.chat.busy);
  const [text, setText] = useDraft(composerDraft(chat));
  const hint = useId();

  const send = () => {
    if (text.trim() === '' || busy) return;
    setText('');
    chat.send(text.trim());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="composer-box">
        <textarea
          id="composer"
          className="composer-text"
          aria-label={t.chat.composer}
          aria-describedby={hint}
          placeholder={t.chat.placeholder}
          rows={1}
          value={text}
          onChange={({ target }) => setText(target.value)}
          onKeyDown={onKeyDown}
        />
        {busy ? (
          <button type="button" className="button" onClick={() => void chat.stop()}>
            {t.chat.stop}
          </button>
        ) : (
          <button className="button button-primary" disabled={text.trim() === ''}>
            {t.chat.send}
          </button>
        )}
      </div>
      <AskingOptions chat={chat} />
      <p id={hint} className="hidden-visually">
        {t.chat.keys}
      </p>
    </form>
  );
}
