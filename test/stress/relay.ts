// A bare relay of bytes in a process of its own: what any hop costs on this machine, whatever it does. `node relay.ts PORT`.
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

const upstream = Number(process.argv[2]);
const server = createServer({ noDelay: true }, (client) => {
  const onward = connect({ port: upstream, host: '127.0.0.1', noDelay: true });
  client.pipe(onward).pipe(client);
  client.on('error', () => onward.destroy());
  onward.on('error', () => client.destroy());
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
