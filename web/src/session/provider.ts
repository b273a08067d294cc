import { queryOptions } from '@tanstack/react-query';
import { api, dataOf } from '../api/client.ts';
import type { SignInProvider } from '../api/shapes.ts';

export type { SignInProvider };

const LAST = 'caudex:provider';

/** Where people sign in. Until the backend answers, its last answer on this device. */
export const providerQuery = queryOptions({
  queryKey: ['provider'],
  queryFn: async (): Promise<SignInProvider> => {
    const provider = await dataOf(api.GET('/v1/api/auth/provider'));
    localStorage.setItem(LAST, JSON.stringify(provider));
    return provider;
  },
  staleTime: Infinity,
  placeholderData: () => {
    const kept = localStorage.getItem(LAST);
    return kept === null ? undefined : (JSON.parse(kept) as SignInProvider);
  },
});
