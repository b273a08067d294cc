import { queryOptions } from '@tanstack/react-query';
import { api, dataOf } from '../api/client.ts';

export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: () => dataOf(api.GET('/v1/api/status/services')),
});
