import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef, useState } from 'react';
import { api, dataOf } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import type { ConversationInfo } from '../api/shapes.ts';
import { Dialog } from '../layout/Dialog.tsx';
import { RowMenu } from '../layout/RowMenu.tsx';
import { undoQueue } from '../layout/undo.ts';
import { forgetDraftsOf } from '../session/drafts.ts';
import { t } from '../texts/en.ts';
import { liveChats } from './live-chats.ts';

const ROW_PX = 36;

/** A list of conversations, also of thousands: only the rows in sight are in the page. */
export default function ConversationRows({
  conversations,
  onHide,
}: {
  conversations: ConversationInfo[];
  onHide: (id: string, hide: boolean) => void;
}) {
  const place = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: conversations.length,
    getScrollElement: () => place.current,
    estimateSize: () => ROW_PX,
    overscan: 10,
  });
  return (
    <div ref={place} className="conversation-rows">
      <ul className="plain-list" style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map(({ index, start }) => {
          const conversation = conversations[index];
          return conversation === undefined ? null : (
            <li
              key={conversation.conversation_id}
              className="conversation-row"
              style={{ transform: `translateY(${start}px)` }}
            >
              <Row conversation={conversation} onHide={onHide} />
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function Row({
  conversation: { conversation_id: conversation, project_id, title },
  onHide,
}: {
  conversation: ConversationInfo;
  onHide: (id: string, hide: boolean) => void;
}) {
  const [renaming, setRenaming] = useState(false);
  const navigate = useNavigate();
  const open = useParams({ strict: false }).conversation;
  const remove = () => {
    onHide(conversation, true);
    if (open === conversation) void navigate({ to: '/p/$project/chat', params: { project: project_id ?? '' } });
    undoQueue.add(
      t.chat.deleted(title),
      (keepalive) =>
        void deleteConversation(project_id ?? '', conversation, keepalive).catch(({ message }: Error) => {
          onHide(conversation, false);
          undoQueue.say(t.undo.notDeleted(title, message));
        }),
      () => onHide(conversation, false),
    );
  };
  return (
    <>
      <Link
        to="/p/$project/chat/$conversation"
        params={{ project: project_id ?? '', conversation }}
        activeProps={{ 'aria-current': 'page' }}
        title={title}
        preload={false}
      >
        {title}
      </Link>
      <RowMenu
        label={t.chat.actions(title)}
        actions={[
          [t.chat.rename, () => setRenaming(true)],
          [t.chat.export, () => void exportConversation(conversation, title)],
          [t.chat.delete, remove],
        ]}
      />
      <RenameDialog conversation={conversation} title={title} open={renaming} onClose={() => setRenaming(false)} />
    </>
  );
}

function RenameDialog({
  conversation,
  title,
  open,
  onClose,
}: {
  conversation: string;
  title: string;
  open: boolean;
  onClose: () => void;
}) {
  const renaming = useMutation({
    mutationFn: (newTitle: string) =>
      dataOf(
        api.PATCH('/v1/api/conversations/{conversation_id}', {
          params: { path: { conversation_id: conversation } },
          body: { title: newTitle },
        }),
      ),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['conversations'] });
      onClose();
    },
  });
  return (
    <Dialog open={open} title={t.chat.rename} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          renaming.mutate(new FormData(event.currentTarget).get('title') as string);
        }}
      >
        <input
          className="input"
          name="title"
          aria-label={t.chat.newTitle}
          defaultValue={title}
          maxLength={200}
          required
        />
        {renaming.error !== null && (
          <p className="form-problem" role="alert">
            {renaming.error.message}
          </p>
        )}
        <div className="row">
          <button className="button button-primary">{t.chat.save}</button>
        </div>
      </form>
    </Dialog>
  );
}

async function deleteConversation(project: string, conversation: string, keepalive: boolean): Promise<void> {
  const params = { path: { conversation_id: conversation } };
  await dataOf(api.DELETE('/v1/api/conversations/{conversation_id}', { params, keepalive }));
  liveChats.delete(conversation);
  forgetDraftsOf(project, conversation);
  await queries.invalidateQueries({ queryKey: ['conversations'] });
}

async function exportConversation(conversation: string, title: string): Promise<void> {
  const params = { path: { conversation_id: conversation }, query: { format: 'markdown' as const } };
  const text = await dataOf(api.GET('/v1/api/conversations/{conversation_id}', { params, parseAs: 'text' }));
  const address = URL.createObjectURL(new Blob([text], { type: 'text/markdown' }));
  const link = Object.assign(document.createElement('a'), {
    href: address,
    download: `${title.replace(/[^\p{L}\p{N} _-]/gu, '').slice(0, 60) || 'conversation'}.md`,
  });
  link.click();
  URL.revokeObjectURL(address);
}
