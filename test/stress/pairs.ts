// Each endpoint behind a route of two targets, at upstreams of their own: what is remembered of the first shows in whom calls go to.
import { Agent } from 'node:http';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { type Family, FAMILIES } from '../fakes/fault-families.ts';
import { type Behaviour, type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startTestServer } from '../server.ts';
import { KEY } from './gateway.ts';
import { type Got, talk } from './talk.ts';

/** Routes: to both; from another model of the first one's key to the second; and the first one by itself. */
export type Way = 'both' | 'other' | 'first';

/** One endpoint with its two upstreams, which are well until they are told otherwise. */
export interface Pair {
  readonly family: Family;
  readonly first: FaultUpstream;
  readonly second: FaultUpstream;
  /** `mark`: somewhere in what an upstream is asked. */
  ask(way?: Way, mark?: string): Promise<Got>;
  /** Whether a call is well, and goes to the first one. */
  isBack(): Promise<boolean>;
}

/** Counting is no call: a counter that fails is left for one’s own count, and what is remembered of it says nothing of calls. */
export const isCount = ({ name }: Family): boolean => name.startsWith('count of tokens');

/** What is paid for by the piece, or has been read by the time that it fails: another target is asked only where the first has done nothing. */
export const isAskedOnce = ({ makes }: Family): boolean => makes !== undefined;

/** Behind a route: a voice that a provider's settings name is chosen by them. */
export const ROUTED: readonly Family[] = FAMILIES.filter(({ name }) => !name.startsWith('spoken chat: its voice'));

/** Those that are tried like calls of chat: how an order of a film ends says nothing of health, for it is asked about at the same place. */
export const CALLS: readonly Family[] = ROUTED.filter((family) => !isCount(family) && !family.name.startsWith('video'));

/** Those whose mistakes and limits an upstream tells of its calls: what is wrong with a file that it names is no client's mistake, and no limit. */
export const LIMITED: readonly Family[] = CALLS.filter(({ isFile }) => isFile !== true);

/** One endpoint by its name. */
export function familyOf(name: string): Family {
  const found = FAMILIES.find((one) => one.name === name);
  if (!found) throw new Error(`no endpoint ${name}`);
  return found;
}

/** An upstream that answers as it should. */
export const well =
  ({ type, pieces }: Family): Behaviour =>
  (_one, response) => {
    response.writeHead(200, { 'content-type': type });
    for (const piece of pieces) response.write(piece);
    response.end();
  };

/** One that refuses. `headers`: made anew each time. */
export const refusing =
  (status: number, headers: () => Record<string, string> = () => ({})): Behaviour =>
  (_one, response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', ...headers() })
      .end('{"error":{"message":"it broke","type":"server_error","code":null,"param":null}}');

/** The model that a family's clients name, as `provider/model`. */
function namedBy(family: Family): string {
  const { path, body } = family.ask('x');
  const model = new RegExp(`${family.provider}/([\\w./-]+(?::\\d+)?)`).exec(body.toString('latin1') + path)?.[1];
  if (model === undefined) throw new Error(`${family.name} names no model`);
  return `${family.provider}/${model}`;
}

/** What one server is told of one pair. */
function configOf(at: number, named: string): Record<string, unknown> {
  const model = named.slice(named.indexOf('/') + 1);
  const [first, second] = [`first-${at}`, `second-${at}`];
  return {
    [`both-${at}`]: { targets: [{ to: `${first}/${model}` }], fallback: [`${second}/${model}`] },
    [`other-${at}`]: { targets: [{ to: `${first}/${model}-other` }], fallback: [`${second}/${model}`] },
    [`first-${at}`]: { targets: [{ to: `${first}/${model}` }] },
  };
}

async function startPair(family: Family, at: number, server: { url: string }, agent: Agent): Promise<Pair> {
  const [first, second] = await Promise.all([startFaultUpstream(well(family)), startFaultUpstream(well(family))]);
  const named = namedBy(family);
  const ask: Pair['ask'] = (way = 'both', mark = 'x') => {
    const { path, type, body } = family.ask(mark);
    const renamed = Buffer.from(body.toString('latin1').replace(named, `${way}-${at}`), 'latin1');
    return talk({ url: server.url + path.replace(named, `${way}-${at}`), type, body: renamed, agent });
  };
  return {
    family,
    first,
    second,
    ask,
    async isBack() {
      const before = first.tries.length;
      const { status, isWhole } = await ask();
      return status === 200 && isWhole && first.tries.length > before;
    },
  };
}

/** Does something with pairs behind one server. `settings`: of both targets, besides their own. */
export async function withPairs<T>(
  families: readonly Family[],
  work: (pairs: readonly Pair[]) => Promise<T>,
  settings: (family: Family) => Partial<ProviderSettings> = () => ({}),
): Promise<T> {
  const agent = new Agent({ keepAlive: true });
  const server = { url: '' };
  const pairs = await Promise.all(families.map((family, at) => startPair(family, at, server, agent)));
  const providers = pairs.flatMap(({ family, first, second }, at) =>
    [[`first-${at}`, first] as const, [`second-${at}`, second] as const].map(
      ([name, { url }]) => [name, { ...family.settings(url), ...settings(family) } as ProviderSettings] as const,
    ),
  );
  const others = pairs.flatMap(({ family, second }) => Object.entries(family.others?.(second.url) ?? {}));
  const started = await startTestServer({
    providers: Object.fromEntries([...providers, ...others]),
    models: Object.assign({}, ...pairs.map(({ family }, at) => configOf(at, namedBy(family)))),
    keys: [{ name: 'stress', value: KEY }],
  });
  server.url = started.url;
  try {
    return await work(pairs);
  } finally {
    agent.destroy();
    await started.close();
    await Promise.all(pairs.flatMap(({ first, second }) => [first.close(), second.close()]));
  }
}
