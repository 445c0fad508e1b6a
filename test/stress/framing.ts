// Streams whose bytes come in every way that is legal, and streams with a giant line: what a client reads must be the same.
import { Agent } from 'node:http';
import { type Dialect, DIALECTS, dataOf, TEXT, WORDS } from '../exchange/dialects.ts';
import { type Behaviour, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startTestServer } from '../server.ts';
import { KEY } from './gateway.ts';
import { inParallel, type Measured, pairName, type Part } from './part.ts';
import { talk } from './talk.ts';

const WIDTH = 16;
const GIANT_BYTES = 32 * 2 ** 20;

/** Forms of one stream that say the same. */
const FORMS: readonly ((text: string) => string)[] = [
  (text) => text.replaceAll(/\r?\n/g, '\n'),
  (text) => text.replaceAll(/\r?\n/g, '\r\n'),
  (text) => text.replaceAll(/\r?\n/g, '\r'),
  (text) => `\uFEFF${text}`,
  (text) => `: hello\n\n${text.replaceAll(/(?<=\n\r?\n)(?=.)/g, ':\n\n: again\n\n')}`,
  (text) => text.replaceAll(/^data: \{/gm, 'data: {\ndata: '),
  (text) => text.replaceAll(/^data: /gm, 'data:'),
  (text) => text.trimEnd(),
  (text) => `retry: 3000\nid: 7\n${text}`,
];

const inPieces =
  (pieces: readonly Buffer[]): Behaviour =>
  (_one, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const next = (at: number): void => {
      const piece = pieces[at];
      if (piece === undefined) response.end();
      else response.write(piece, () => setImmediate(next, at + 1));
    };
    next(0);
  };

/** What a client reads: of its own dialect the bytes come as they are, so that its reader must know all forms of lines. */
const readBy = (text: string): ReturnType<typeof dataOf> => dataOf(text.replace(/^\uFEFF/, '').replaceAll(/\r\n?/g, '\n'));

/** A way in which a stream comes, by the number that the request's text names. */
function comings({ events }: Dialect): readonly Behaviour[] {
  const text = events.join('');
  const bytes = Buffer.from(text);
  const cuts = Array.from({ length: bytes.length - 1 }, (_, at) => inPieces([bytes.subarray(0, at + 1), bytes.subarray(at + 1)]));
  const single = inPieces([...bytes].map((byte) => Buffer.from([byte])));
  return [...cuts, single, ...FORMS.map((form) => inPieces([Buffer.from(form(text))]))];
}

/** `every`: of so many places of a stream one is cut. */
async function* framingRows(every: number): AsyncIterable<Measured> {
  const ways = new Map(DIALECTS.map((dialect) => [dialect.provider, comings(dialect)]));
  const upstream = await startFaultUpstream((one, response) => {
    const [, provider = '', at] = /way-(\w+)-(\d+)-/.exec(one.body) ?? [];
    ways.get(provider)?.[Number(at)]?.(one, response);
  });
  const server = await startTestServer({
    providers: Object.fromEntries(DIALECTS.map((one) => [one.provider, one.settings(upstream.url)])),
    keys: [{ name: 'stress', value: KEY }],
  });
  const agent = new Agent({ keepAlive: true });
  try {
    for (const client of DIALECTS) {
      for (const target of DIALECTS) {
        const all = ways.get(target.provider) ?? [];
        const picked = all.map((_, at) => at).filter((at) => at % every === 0 || at >= all.length - FORMS.length - 1);
        const model = `${target.provider}/up`;
        let example = '';
        const right = await inParallel(
          picked.map((at) => async () => {
            const body = JSON.stringify(client.body(model, true, `way-${target.provider}-${at}-`));
            const got = await talk({ url: server.url + client.path(model, true), body, agent });
            upstream.tries.length = 0;
            const data = got.status === 200 ? readBy(got.text) : [];
            const isRight = client.textOf(data) === TEXT && Boolean(client.isFinished(data)) && client.errorIn(data) === undefined;
            if (!isRight) example ||= `way ${at} of ${all.length}: ${got.status} ${got.text.slice(-200)}`;
            return isRight;
          }),
          WIDTH,
        );
        const value = right.filter((one) => !one).length;
        const about = pairName(client.id, target.id);
        yield { promise: 'streams.bytes', about, value, many: picked.length, isKept: value === 0, ...(example ? { detail: example } : {}) };
        yield await giant(client, target, { server, agent, behave: (behaviour) => void ways.set(target.provider, [behaviour]) });
        ways.set(target.provider, all);
      }
    }
  } finally {
    agent.destroy();
    await server.close();
    await upstream.close();
  }
}

interface Scene {
  readonly server: { readonly url: string };
  readonly agent: Agent;
  behave(behaviour: Behaviour): void;
}

/** One text that makes its line 32 MiB long. */
async function giant(client: Dialect, target: Dialect, { server, agent, behave }: Scene): Promise<Measured> {
  const model = `${target.provider}/up`;
  const at = target.events.findIndex((event) => event.includes(WORDS[0]));
  const size = GIANT_BYTES - Buffer.byteLength(target.events[at] ?? '');
  const events = target.events.map((event, index) => (index === at ? event.replace(WORDS[0], 'x'.repeat(size)) : event));
  behave(inPieces([Buffer.from(events.join(''))]));
  const body = JSON.stringify(client.body(model, true, `way-${target.provider}-0-`));
  const got = await talk({ url: server.url + client.path(model, true), body, agent });
  const data = got.status === 200 ? readBy(got.text) : [];
  // Where a later event repeats the text, the shorter truth is no contradiction.
  const isRight = client.textOf(data) === `${'x'.repeat(size)}${WORDS.slice(1).join('')}` && Boolean(client.isFinished(data));
  const detail = isRight ? {} : { detail: `${got.status} ${got.text.slice(-200)}` };
  return { promise: 'streams.giant', about: pairName(client.id, target.id), value: isRight ? 0 : 1, many: 1, isKept: isRight, ...detail };
}

export const framing: Part = { name: 'framing', rows: ({ cuts }) => framingRows(Math.max(1, Math.round(1000 / cuts))) };
