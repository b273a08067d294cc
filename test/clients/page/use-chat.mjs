// The five lines of the README, in a page of another origin. The test reaches the hook through `window`.
import { useChat } from 'ai-sdk-react';
import { DefaultChatTransport } from 'ai-sdk';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';

const { api, token, project, id, resume } = Object.fromEntries(new URLSearchParams(location.search));
const transport = new DefaultChatTransport({
  api,
  headers: { authorization: `Bearer ${token}` },
  body: { project_id: project },
});

function Chat() {
  const chat = useChat({ id, transport, resume: resume !== undefined });
  window.chat = chat;
  return createElement('p', null, chat.status);
}
createRoot(document.body.appendChild(document.createElement('main'))).render(createElement(Chat));
