import { queryOptions } from '@tanstack/react-query';
import { api, dataOf } from '../api/client.ts';

const LISTED = 1000;

export const conversationsQuery = queryOptions({
  queryKey: ['conversations'],
  queryFn: async () =>
    (await dataOf(api.GET('/v1/api/conversations', { params: { query: { limit: LISTED } } }))).conversations,
});
