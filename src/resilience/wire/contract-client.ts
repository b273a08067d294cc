import { Injectable, type Type } from '@nestjs/common';
import type { EndpointInput, EndpointOutput, ServiceContract } from '../../contract/endpoint.js';
import type { CallContext } from '../policy/call-context.js';
import { ResilientClient } from './resilient-client.js';

/** One method for each endpoint of a contract; each rejects only with a DownstreamError. */
export type ContractClient<C extends ServiceContract> = {
  readonly [K in keyof C]: (input: EndpointInput<C[K]>, context: CallContext) => Promise<EndpointOutput<C[K]>>;
};

/** A client of one server, and its connection. */
export interface Copy<Client> {
  /** Absent where the service has one address only. */
  readonly endpoint: string | undefined;
  readonly client: Client;
  readonly connection: ResilientClient;
}

/** The clients of the single servers of a service whose servers each keep all of its data: at least one. */
export function copiesOf<Client>(create: new (connection: ResilientClient) => Client, whole: ResilientClient) {
  const copy = (connection: ResilientClient, endpoint: string | undefined): Copy<Client> => {
    return { endpoint, connection, client: new create(connection) };
  };
  if (whole.copies.length === 0) return [copy(whole, undefined)];
  return whole.copies.map((connection) => copy(connection, connection.url ?? undefined));
}

/** The base class of the injectable client of a contract. */
export function clientOf<C extends ServiceContract>(contract: C): Type<ContractClient<C>> {
  @Injectable()
  class Client {
    constructor(client: ResilientClient) {
      for (const [name, endpoint] of Object.entries(contract)) {
        const method = (input: EndpointInput<typeof endpoint>, context: CallContext) =>
          client.call(endpoint, input, context);
        Object.defineProperty(this, name, { value: method, enumerable: true, writable: true });
      }
    }
  }
  return Client as Type<ContractClient<C>>;
}
