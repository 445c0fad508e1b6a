// The Responses API over its WebSocket before upstreams that fail or refuse: what the other endpoints promise, in its own form.
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { dataOf, type Dialect, DIALECTS, responses, TEXT } from '../exchange/dialects.ts';
import { type Family, providersAt } from '../fakes/fault-families.ts';
import { FAULTS } from '../fakes/faults.ts';
import { type Behaviour, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { problem } from '../fakes/seen.ts';
import { OVER_SOCKET, overSocket, SOCKET_FAMILIES } from '../fakes/web-sockets.ts';
import { startTestServer } from '../server.ts';
import { KEY } from './gateway.ts';
import { inParallel, type Measured } from './part.ts';
import type { Got } from './talk.ts';

const WIDTH = 16;
const STALL_MS = 250;
const keys = [{ name: 'stress', value: KEY }];

const ask = (url: string, family: Family, mark = 'x'): Promise<Got> => overSocket({ url, key: KEY, asked: family.ask(mark) });

const dialectOf = ({ provider }: Family): Dialect => DIALECTS.find((one) => one.provider === provider) ?? responses;

type End = (response: Parameters<Behaviour>[1]) => void;

/** How an upstream ends in the middle. */
const ENDS: Readonly<Record<string, End>> = {
  FIN: (response) => response.socket?.end(),
  RST: (response) => response.socket?.resetAndDestroy(),
  stall: () => {},
};

/** One way to fail: so many bytes of the answer, and that end. */
interface Cut {
  readonly name: string;
  readonly behave: Behaviour;
}

/**
 * After each event and within it, up to the last one, which may be the last word; an error stands where an event would, and an end as HTTP
 * has it is too early before the finish.
 */
function cutsOf(family: Family, { errorEvent, before }: Dialect): readonly Cut[] {
  const bytes = Buffer.from(family.pieces.slice(0, -1).join(''));
  const cut = (name: string, place: number, end: End): Cut => ({
    name: `${name} at byte ${place}`,
    behave(_one, response) {
      response.writeHead(200, { 'content-type': family.type }).flushHeaders();
      if (place === 0) setImmediate(end, response);
      else response.write(bytes.subarray(0, place), () => setImmediate(end, response));
    },
  });
  let at = 0;
  return family.pieces.slice(0, -1).flatMap((piece, index) => {
    const [from, within] = [at, at + (piece.length >> 1)];
    at += Buffer.byteLength(piece);
    const ends: [string, End][] = [
      ...Object.entries(ENDS),
      ...(index < before ? [['a proper end', (response) => void response.end()] satisfies [string, End]] : []),
    ];
    return [
      ...ends.flatMap(([name, end]) => [cut(name, from, end), cut(name, within, end)]),
      cut('an error', from, (response) => void response.end(errorEvent)),
    ];
  });
}

/** Why this is no honest failure; `undefined`: it is one. A turn that has begun must say so itself: the connection goes on. */
function dishonesty(family: Family, got: Got): string | undefined {
  if (!got.isWhole) return `broken off: ${got.text.slice(-200)}`;
  const why = problem(family, { name: 'cut', behave: () => () => {}, outcome: 'failed' }, got);
  if (why !== undefined || got.status !== 200) return why;
  const text = responses.textOf(dataOf(got.text));
  return TEXT.startsWith(text) ? undefined : `no prefix: ${text}`;
}

/** Cuts after and within every event, over an upstream of each protocol. */
export async function* websocketFailures(): AsyncIterable<Measured> {
  const behaviours = new Map<string, Behaviour>();
  const upstream = await startFaultUpstream((one, response) => behaviours.get(/case-\d+-/.exec(one.body)?.[0] ?? '')?.(one, response));
  const timeouts = { connect: 1000, headers: 20_000, firstToken: STALL_MS, idle: STALL_MS, total: 20_000 };
  const providers = Object.fromEntries(
    Object.entries(providersAt(upstream.url)).map(([name, one]) => [name, { ...one, timeouts } as ProviderSettings]),
  );
  const server = await startTestServer({ providers, keys });
  let [serial, again, told] = [0, 0, 0];
  const one = async (family: Family, { name, behave }: Cut): Promise<string | undefined> => {
    const mark = `case-${++serial}-`;
    behaviours.set(mark, behave);
    const got = await ask(server.url, family, mark);
    behaviours.delete(mark);
    if (got.status === 200) {
      told++;
      if (upstream.tries.filter(({ body }) => body.includes(mark)).length > 1) again++;
    }
    const why = dishonesty(family, got);
    return why === undefined ? undefined : `over ${family.provider}, ${name}: ${why}`;
  };
  try {
    const jobs = SOCKET_FAMILIES.flatMap((family) => cutsOf(family, dialectOf(family)).map((cut) => () => one(family, cut)));
    const wrong = (await inParallel(jobs, WIDTH)).filter((why) => why !== undefined);
    const detail = wrong[0] === undefined ? {} : { detail: wrong[0] };
    yield {
      promise: 'streams.failure',
      about: OVER_SOCKET,
      value: wrong.length,
      many: jobs.length,
      isKept: wrong.length === 0 && server.defects.length === 0,
      ...detail,
    };
    yield { promise: 'streams.no-retry', about: OVER_SOCKET, value: again, many: told, isKept: again === 0 };
  } finally {
    await server.close();
    await upstream.close();
  }
}

const REFUSED = FAULTS.filter(({ outcome, waits }) => outcome === 'refused' && !waits);
const isMistake = (name: string): boolean => /^4(?:00|04|13|22)$/.test(name);

/** All failures of a first target that a second one can make good, of each protocol. */
export async function* websocketGate(): AsyncIterable<Measured> {
  const behaviours = new Map<string, Behaviour>();
  const bad = await startFaultUpstream((one, response) => behaviours.get(/case-\d+-/.exec(one.body)?.[0] ?? '')?.(one, response));
  const good = await startFaultUpstream();
  const faults = REFUSED.filter(({ name }) => !isMistake(name));
  let [serial, lost] = [0, 0];
  let example: string | undefined;
  for (const family of SOCKET_FAMILIES) {
    const { provider, settings, type, pieces } = family;
    const server = await startTestServer({
      providers: { one: { ...settings(bad.url), health: 'off' }, two: settings(good.url) } as Record<string, ProviderSettings>,
      models: { [`${provider}/up`]: { targets: [{ to: 'one/up' }], fallback: ['two/up'] } },
      keys,
    } as unknown as Parameters<typeof startTestServer>[0]);
    good.behave = (_one, response) => void response.writeHead(200, { 'content-type': type }).end(pieces.join(''));
    for (const fault of faults) {
      const mark = `case-${++serial}-`;
      behaviours.set(mark, fault.behave(family));
      const got = await ask(server.url, family, mark);
      behaviours.delete(mark);
      if (responses.textOf(dataOf(got.text)) === TEXT && responses.isFinished(dataOf(got.text))) continue;
      lost++;
      example ??= `over ${provider}, ${fault.name}: ${got.status} ${got.text.slice(0, 200)}`;
    }
    await server.close();
  }
  await bad.close();
  await good.close();
  const detail = example === undefined ? {} : { detail: example };
  yield { promise: 'streams.gate', about: OVER_SOCKET, value: lost, many: serial, isKept: lost === 0, ...detail };
}

/** Each refusal: tries, and what is said of it. */
export async function* websocketRefusals(): AsyncIterable<Measured> {
  const upstream = await startFaultUpstream();
  const server = await startTestServer({ providers: providersAt(upstream.url), keys });
  const faults = REFUSED.filter(({ status }) => status);
  let [tries, again, silent, mistakes] = [0, 0, 0, 0];
  let example: string | undefined;
  try {
    for (const family of SOCKET_FAMILIES) {
      for (const fault of faults) {
        upstream.tries.length = 0;
        upstream.behave = fault.behave(family);
        const got = await ask(server.url, family);
        tries = Math.max(tries, upstream.tries.length);
        if (isMistake(fault.name)) {
          mistakes++;
          again += upstream.tries.length - 1;
        }
        const says = /"message":"[^"]{5}/.test(got.text) && (!fault.hasRetryAfter || Number(got.headers['retry-after']) > 0);
        const why = says ? problem(family, fault, got) : 'says too little';
        if (why === undefined) continue;
        silent++;
        example ??= `over ${family.provider}, ${fault.name}: ${why}: ${got.text.slice(0, 200)}`;
      }
    }
  } finally {
    await server.close();
    await upstream.close();
  }
  const of = { about: OVER_SOCKET, many: faults.length * SOCKET_FAMILIES.length };
  yield { promise: 'retry.tries', ...of, value: tries, isKept: tries <= 3 };
  yield { promise: 'retry.mistakes', ...of, many: mistakes, value: again, isKept: again === 0 };
  yield { promise: 'retry.refusals', ...of, value: silent, isKept: silent === 0, ...(example === undefined ? {} : { detail: example }) };
}
