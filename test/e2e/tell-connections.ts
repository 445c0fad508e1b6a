// Loaded into a program before it begins: writes each address that the process, or a thread of it, connects to or looks up as a line into a file.
import { appendFileSync } from 'node:fs';
import dgram from 'node:dgram';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

const FILE = process.env['TELL_CONNECTIONS'] ?? '';

const tell = (how: string, where: string): void => appendFileSync(FILE, `${how} ${where}\n`);

type Any = (this: unknown, ...args: unknown[]) => unknown;

/** Tells of each call before it is made. */
function listenIn(owner: object, name: string, told: (args: readonly unknown[]) => readonly [how: string, where: string]): void {
  const methods = owner as Record<string, Any>;
  const method = methods[name];
  if (!method) throw new Error(`no ${name} to listen in on`);
  methods[name] = function (...args) {
    tell(...told(args));
    return method.apply(this, args);
  };
}

interface Target {
  readonly host?: string;
  readonly port?: number | string;
  readonly path?: string;
}

/** What a socket is told to connect to: as options, as a port and a host, or as a path; also as `connect` has put them into a list. */
function targetOf([first, second]: readonly unknown[]): string {
  if (Array.isArray(first)) return targetOf(first as readonly unknown[]);
  if (typeof first !== 'object' || first === null) return `${typeof second === 'string' ? second : 'localhost'}:${String(first)}`;
  const { host = 'localhost', port, path } = first as Target;
  return path === undefined || port !== undefined ? `${host}:${port}` : `path:${path}`;
}

// Plain and TLS sockets, and all that is built on them: HTTP, fetch, undici.
listenIn(net.Socket.prototype, 'connect', (args) => ['connect', targetOf(args)]);
for (const name of ['send', 'connect']) listenIn(dgram.Socket.prototype, name, () => ['datagram', name]);
for (const owner of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype]) {
  for (const name of Object.keys(Object.getOwnPropertyDescriptors(owner))) {
    if (/^(lookup|resolve|reverse)/.test(name)) listenIn(owner, name, ([host]) => ['lookup', String(host)]);
  }
}
syncBuiltinESMExports();
tell('begin', String(process.pid));
