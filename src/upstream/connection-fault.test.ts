import { expect, it } from 'vitest';
import { connectionFault } from './connection-fault.ts';

it.each(['EMFILE', 'ENFILE', 'ENOBUFS', 'EADDRNOTAVAIL'])('%s is the state of this machine, and no failure of the upstream', (code) => {
  const fault = connectionFault(Object.assign(new Error('connect'), { code }), false);
  expect(fault).toMatchObject({ by: 'gateway', kind: 'overloaded', code: 'connections_exhausted', retryAfterMs: 1000 });
});
