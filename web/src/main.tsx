import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queries } from './api/queries.ts';
import './design/tokens.css';
import './design/base.css';
import { router } from './router.tsx';

/** Pages that show a text as soon as they are open; the other views of a document do not. */
const WITH_TEXT = ['/shell/p/$project/chat/$conversation', '/shell/p/$project/documents/read/$'];
const isOtherView = new URLSearchParams(location.search).has('view');

// Fetches the code of the page that the address names, while the backend checks the session; then the code that shows texts.
for (const { routeId } of router.matchRoutes(router.latestLocation)) {
  const loaded = Promise.resolve(router.loadRouteChunk(router.routesById[routeId as keyof typeof router.routesById]));
  const isWithText = WITH_TEXT.includes(routeId as string) && !isOtherView;
  loaded.then(() => (isWithText ? import('./markdown/MarkdownText.tsx') : undefined)).catch(() => undefined);
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
