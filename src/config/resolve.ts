import { CNY_FOR_USD } from '../policy/models/price.ts';
import type { Config } from './config.ts';
import type { FileConfig } from './file-shape.ts';
import { resolveProviders } from './resolve-providers.ts';

const DAY_MS = 86_400_000;

/** Aliases such as `localhost` bind to whatever the system says; all of them stay on this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** `10%`: 0.1; `off`: no bound. */
const shareOf = (written: string): number => (written === 'off' ? Infinity : Number.parseInt(written, 10) / 100);

function serverOf(server: FileConfig['server']): Config['server'] {
  return {
    host: server.host,
    port: server.port,
    workers: server.workers,
    trustedProxies: server.trustedProxies,
    cors: server.cors,
    ...(server.keepAlive === undefined ? {} : { keepAlive: server.keepAlive }),
    ...(server.publicUrl === undefined ? {} : { publicUrl: server.publicUrl.replace(/(?<!\/)\/+$/, '') }),
  };
}

function limitsOf(limits: FileConfig['limits']): Config['limits'] {
  return {
    body: limits.body,
    upload: limits.upload,
    depth: limits.depth,
    fetchBytes: limits.fetch,
    cacheBytes: limits.cache,
    storedDays: limits.stored.keep / DAY_MS,
    storedBytes: limits.stored.bytes,
    sealDays: limits.seals.keep / DAY_MS,
    sealBytes: limits.seals.bytes,
    calls: limits.calls,
    connections: limits.connections,
    bodies: Math.max(limits.bodies, limits.body),
    overload: {
      shed: limits.overload.shed === 'on',
      delayMs: limits.overload.delay,
      ...(limits.overload.memory === undefined ? {} : { memoryBytes: limits.overload.memory }),
    },
    retries: {
      tries: limits.retries.tries,
      share: shareOf(limits.retries.budget),
      hedges: shareOf(limits.retries.hedges),
      reserve: limits.retries.reserve,
    },
    requestDays: limits.requests.keep / DAY_MS,
    requestRows: limits.requests.rows,
  };
}

function tasksOf({ keep, deadline, media }: FileConfig['tasks']): Config['tasks'] {
  return {
    keepMs: keep,
    deadlineMs: deadline,
    media: {
      bytes: media.bytes,
      ...(media.folder === undefined ? {} : { folder: media.folder }),
      ...(media.s3 === undefined ? {} : { s3: media.s3 }),
    },
  };
}

/** The configuration of what a file says. */
export function resolveConfig(file: FileConfig): Config {
  return {
    server: serverOf(file.server),
    keys: file.keys ?? [],
    providers: resolveProviders(file.providers),
    models: file.models ?? {},
    ...(file.defaultModel === undefined ? {} : { defaultModel: file.defaultModel }),
    ...(file.routeTests === undefined ? {} : { routeTests: file.routeTests }),
    ...(file.catalogue?.sync === undefined ? {} : { catalogue: { syncMs: file.catalogue.sync } }),
    money: { rates: { USD: 1, CNY: 1 / Number(file.money.rates['CNY'] ?? CNY_FOR_USD) } },
    egress: file.egress,
    limits: limitsOf(file.limits),
    tasks: tasksOf(file.tasks),
    sandbox: file.sandbox,
    discover: file.discover,
    log: file.log,
  };
}
