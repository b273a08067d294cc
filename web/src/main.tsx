// Before anything that brings the AI SDK.
import './without-eval.ts';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queries } from './api/queries.ts';
import './design/tokens.css';
import './design/base.css';
import { router } from './router.tsx';

// The code of the page that the address names is fetched while it is asked who is signed in.
if (location.pathname !== '/sign-in') void import('./layout/Shell.tsx');
if (/^\/(p\/[^/]+\/chat.*)?$/.test(location.pathname)) void import('./chat/ChatPage.tsx');

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
