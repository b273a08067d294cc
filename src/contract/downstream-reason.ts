/**
 * Why a call to a service brought no usable answer:
 * - `unreachable`: the connection was refused, reset or never made
 * - `timeout`: an attempt took longer than its limit
 * - `circuit_open`: the breaker let nothing through
 * - `saturated`: too many calls at once, here (bulkhead) or there (429)
 * - `fault`: a 5xx
 * - `protocol`: an answer that breaks the contract
 * - `deadline`: the whole request ran out of time
 * - `rejected`: a 4xx: the service works and refuses this request
 * - `cancelled`: the caller disconnected
 */
export const DOWNSTREAM_REASONS = [
  'unreachable',
  'timeout',
  'circuit_open',
  'saturated',
  'fault',
  'protocol',
  'deadline',
  'rejected',
  'cancelled',
] as const;
export type DownstreamReason = (typeof DOWNSTREAM_REASONS)[number];
