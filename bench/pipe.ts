// Carries bytes to and fro and reads none of them: what moving them through Node costs. Arguments: its port, the upstream's.
import { connect, createServer, type Socket } from 'node:net';

const [port = 0, upstream = 0] = process.argv.slice(2).map(Number);

createServer({ noDelay: true }, (client: Socket) => {
  const beyond = connect({ port: upstream, host: '127.0.0.1', noDelay: true });
  for (const [one, other] of [
    [client, beyond],
    [beyond, client],
  ] as const) {
    one.pipe(other);
    one.on('error', () => other.destroy());
  }
}).listen(port, '127.0.0.1');
