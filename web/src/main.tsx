import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queries } from './api/queries.ts';
import './design/tokens.css';
import './design/base.css';
import { router } from './router.tsx';

const text = () => import('./markdown/MarkdownText.tsx');
const turns = () => import('./chat/TurnList.tsx');
const isOtherView = new URLSearchParams(location.search).has('view');
/** What pages need right after their own code: they show a text as soon as they are open, or a turn after the first question. */
const NEXT: Partial<Record<string, (() => Promise<unknown>)[]>> = {
  '/shell/p/$project/chat': [turns],
  '/shell/p/$project/chat/$conversation': [turns, text],
  '/shell/p/$project/documents/read/$': isOtherView ? [] : [text],
};

// Fetches the code of the page that the address names, while the backend checks the session; then what the page needs next.
for (const { routeId } of router.matchRoutes(router.latestLocation)) {
  const loaded = Promise.resolve(router.loadRouteChunk(router.routesById[routeId as keyof typeof router.routesById]));
  loaded.then(() => Promise.all((NEXT[routeId as string] ?? []).map((load) => load()))).catch(() => undefined);
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
