// Upstreams that fail at every place of every answer: never a false success, never a second call once something was told, and never a lost
// call while another target is left.
import { Agent } from 'node:http';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { FAMILIES, type Family, providersAt } from '../fakes/fault-families.ts';
import { FAULTS } from '../fakes/faults.ts';
import { type Behaviour, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { problem } from '../fakes/seen.ts';
import { startTestServer } from '../server.ts';
import { KEY } from './gateway.ts';
import { inParallel, type Measured, type Part } from './part.ts';
import { talk } from './talk.ts';
import { websocketFailures, websocketGate } from './websocket-failures.ts';

const WIDTH = 16;
/** Places of an answer that is not a stream. */
const PLACES = 12;
const STALL_MS = 250;
const keys = [{ name: 'stress', value: KEY }];

const ENDS = {
  FIN: (response) => void response.socket?.end(),
  RST: (response) => void response.socket?.resetAndDestroy(),
  stall: () => {},
  error: (response) =>
    void response.end('event: error\ndata: {"type":"error","error":{"message":"it broke","type":"server_error","code":500}}\n\n'),
} as const satisfies Record<string, (response: Parameters<Behaviour>[1]) => void>;

/** An answer up to a byte, and how it ends there. */
const cutAt =
  (family: Family, bytes: Buffer, end: (response: Parameters<Behaviour>[1]) => void): Behaviour =>
  (_one, response) => {
    response.writeHead(200, { 'content-type': family.type }).flushHeaders();
    if (bytes.length === 0) setImmediate(() => end(response));
    else response.write(bytes, () => setImmediate(() => end(response)));
  };

/** Where an answer is cut: after each event and within it; or here and there. The last event of a stream may be its last word. */
function placesOf({ pieces, isStream }: Family): readonly number[] {
  const sizes = pieces.map((piece) => Buffer.byteLength(piece));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (!isStream) return Array.from({ length: PLACES }, (_, at) => Math.floor((total * at) / PLACES));
  let at = 0;
  return sizes.slice(0, -1).flatMap((size) => {
    const places = [at, at + Math.floor(size / 2)];
    at += size;
    return places;
  });
}

async function* failureRows(): AsyncIterable<Measured> {
  const behaviours = new Map<string, Behaviour>();
  const upstream = await startFaultUpstream((one, response) => behaviours.get(/case-\d+-/.exec(one.text)?.[0] ?? '')?.(one, response));
  const timeouts = { connect: 1000, headers: 20_000, firstToken: STALL_MS, idle: STALL_MS, total: 20_000 };
  const providers = Object.fromEntries(
    Object.entries(providersAt(upstream.url)).map(([name, one]) => [name, { ...one, timeouts } as ProviderSettings]),
  );
  const server = await startTestServer({ providers, keys });
  const agent = new Agent({ keepAlive: true });
  let [serial, again, told] = [0, 0, 0];
  try {
    for (const family of FAMILIES) {
      const bytes = Buffer.concat(family.pieces.map((piece) => Buffer.from(piece)));
      const ends = Object.entries(ENDS).filter(([name]) => family.isStream || name !== 'error');
      const cases = placesOf(family).flatMap((place) => ends.map(([name, end]) => ({ name: `${name} at byte ${place}`, place, end })));
      upstream.tries.length = 0;
      const wrong = await inParallel(
        cases.map(({ name, place, end }) => async () => {
          const mark = `case-${++serial}-`;
          behaviours.set(mark, cutAt(family, bytes.subarray(0, place), end));
          const { path, type, body } = family.ask(mark);
          const got = await talk({ url: server.url + path, type, body, agent });
          behaviours.delete(mark);
          if (got.status === 200) {
            told++;
            if (upstream.tries.filter((one) => one.text.includes(mark)).length > 1 && !family.name.startsWith('count')) again++;
          }
          const why = problem(family, { name, behave: () => () => {}, outcome: 'failed' }, got);
          return why === undefined ? undefined : `${name}: ${why}`;
        }),
        WIDTH,
      );
      const found = wrong.filter((why) => why !== undefined);
      const detail = found[0] === undefined ? {} : { detail: found[0] };
      yield {
        promise: 'streams.failure',
        about: family.name,
        value: found.length,
        many: cases.length,
        isKept: found.length === 0,
        ...detail,
      };
    }
    yield { promise: 'streams.no-retry', value: again, many: told, isKept: again === 0 };
  } finally {
    agent.destroy();
    await server.close();
    await upstream.close();
  }
}

/** What makes something, and what only counts, stays with the target that was asked. */
const mayMove = ({ makes, name }: Family): boolean => makes === undefined && !name.startsWith('count of tokens');

/** All failures of a first target that a second one can make good, at each endpoint that may be asked twice. */
async function* gateRows(): AsyncIterable<Measured> {
  const behaviours = new Map<string, Behaviour>();
  const bad = await startFaultUpstream((one, response) => behaviours.get(/case-\d+-/.exec(one.text)?.[0] ?? '')?.(one, response));
  const good = await startFaultUpstream();
  const agent = new Agent({ keepAlive: true });
  const faults = FAULTS.filter(({ outcome, name, waits }) => outcome === 'refused' && !waits && !/^4(?:00|04|13|22)$/.test(name));
  let serial = 0;
  let [lost, many] = [0, 0];
  let example = '';
  for (const family of FAMILIES.filter((family) => mayMove(family))) {
    const sample = family.ask('x');
    const model =
      family.model ??
      new RegExp(`${family.provider}/([\\w./-]+(?::\\d+)?)`).exec(sample.body.toString('latin1') + sample.path)?.[1] ??
      'up';
    const routed = `${family.provider}/${model}`;
    const server = await startTestServer({
      providers: {
        one: { ...family.settings(bad.url), health: 'off' } as ProviderSettings,
        two: family.settings(good.url),
        ...family.others?.(good.url),
      },
      models: { [routed]: { targets: [{ to: `one/${model}` }], fallback: [`two/${model}`] } },
      keys,
    } as unknown as Parameters<typeof startTestServer>[0]);
    good.behave = (_one, response) => {
      response.writeHead(200, { 'content-type': family.type });
      for (const piece of family.pieces) response.write(piece);
      response.end();
    };
    for (const fault of faults) {
      const mark = `case-${++serial}-`;
      behaviours.set(mark, fault.behave(family));
      const { path, type, body } = family.ask(mark);
      const got = await talk({ url: server.url + path, type, body, agent });
      behaviours.delete(mark);
      many++;
      if (got.status === 200 && got.isWhole) continue;
      lost++;
      example ||= `${family.name}, ${fault.name}: ${got.status} ${got.text.slice(0, 200)}`;
    }
    await server.close();
  }
  agent.destroy();
  await bad.close();
  await good.close();
  yield { promise: 'streams.gate', value: lost, many, isKept: lost === 0, ...(example ? { detail: example } : {}) };
}

export const failures: Part = {
  name: 'failures',
  async *rows() {
    yield* failureRows();
    yield* gateRows();
    yield* websocketFailures();
    yield* websocketGate();
  },
};
