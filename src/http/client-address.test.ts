import { expect, it } from 'vitest';
import { clientAddress } from './client-address.ts';

const PROXIES = ['10.0.0.0/8', '2001:db8:1::/48', '192.0.2.7'];

it.each([
  { name: 'nobody is trusted', from: '10.0.0.1', said: '198.51.100.1', trusted: [], is: '10.0.0.1' },
  { name: 'a stranger says something', from: '203.0.113.9', said: '198.51.100.1', is: '203.0.113.9' },
  { name: 'a proxy says who', from: '10.0.0.1', said: '198.51.100.1', is: '198.51.100.1' },
  { name: 'a proxy that is named by its address', from: '192.0.2.7', said: '198.51.100.1', is: '198.51.100.1' },
  { name: 'its neighbour is none', from: '192.0.2.8', said: '198.51.100.1', is: '192.0.2.8' },
  { name: 'what a client itself wrote stands first', from: '10.0.0.1', said: '1.1.1.1, 198.51.100.1', is: '198.51.100.1' },
  { name: 'proxies in a row', from: '10.0.0.1', said: '198.51.100.1, 10.0.0.9, 192.0.2.7', is: '198.51.100.1' },
  { name: 'proxies alone', from: '10.0.0.1', said: '10.0.0.9', is: '10.0.0.9' },
  { name: 'nothing', from: '10.0.0.1', said: undefined, is: '10.0.0.1' },
  { name: 'a name', from: '10.0.0.1', said: '198.51.100.1, unknown', is: '10.0.0.1' },
  { name: 'with a port', from: '10.0.0.1', said: '198.51.100.1:4711', is: '198.51.100.1' },
  { name: 'IPv6 with a port', from: '10.0.0.1', said: '[2001:db8::5]:443', is: '2001:db8::5' },
  { name: 'a proxy with IPv6', from: '2001:db8:1::2', said: '198.51.100.1', is: '198.51.100.1' },
  { name: 'a socket for both families', from: '::ffff:10.0.0.1', said: '::ffff:198.51.100.1', is: '198.51.100.1' },
])('$name: $is', ({ from, said, trusted = PROXIES, is }) => {
  const headers = said === undefined ? {} : { 'x-forwarded-for': said };
  expect(clientAddress({ socket: { remoteAddress: from }, headers } as never, trusted)).toBe(is);
});
