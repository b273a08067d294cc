import { queryOptions } from '@tanstack/react-query';
import { api, dataOf } from '../api/client.ts';

export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: () => dataOf(api.GET('/v1/api/status/services')),
});

export const timelineQuery = queryOptions({
  queryKey: ['status', 'timeline'],
  queryFn: () => dataOf(api.GET('/v1/api/status/timeline')),
  refetchInterval: 15_000,
});

export const outboxQuery = queryOptions({
  queryKey: ['status', 'outbox'],
  queryFn: () => dataOf(api.GET('/v1/api/status/outbox')),
  refetchInterval: 5000,
});
