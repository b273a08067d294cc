import { connect } from 'node:net';
import { type Poison, times } from '../poison.js';

export const poison: Poison = {
  name: 'a stranger opens 300 connections and sends a byte now and then',
  against: 'connections that never send a whole request',
  send: async ({ caudex }) => {
    const sockets = times(300, () => connect(caudex.ports.backend, '127.0.0.1').on('error', () => undefined));
    for (const socket of sockets) socket.write('POST /v1/api/chat HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n');
    for (let i = 0; i < 20; i++) {
      for (const socket of sockets) if (!socket.destroyed) socket.write('x');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    for (const socket of sockets) socket.destroy();
  },
};
