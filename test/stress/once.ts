// `Idempotency-Key` at every endpoint: many requests at once are one call of the upstream, and what they are told.
import { type Family, FAMILIES, providersAt } from '../fakes/fault-families.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { call, type Got } from '../exchange/stage.ts';
import { startTestServer } from '../server.ts';
import { KEY } from './gateway.ts';
import { inParallel, type Measured, type Part } from './part.ts';

/** How long the one that works is held, at most, until all others have been told. */
const HELD_MS = 60_000;
/** Connections that are opened side by side: more would wait in line at the system. */
const WIDTH = 250;

const isCount = ({ name }: Family): boolean => name.startsWith('count of tokens');

/** Sends the same many times while the upstream is silent, lets it answer, and asks again. */
async function oneKey(family: Family, url: string, upstream: FaultUpstream, many: number): Promise<readonly Measured[]> {
  const key = `key of ${family.name}`;
  const send = (mark: string): Promise<Got> => {
    const { path, type, body } = family.ask(mark);
    return call(url + path, body, { 'content-type': type, authorization: `Bearer ${KEY}`, 'idempotency-key': key });
  };
  upstream.tries.length = 0;
  let answer = (): void => {};
  const release = new Promise<void>((resolve) => (answer = resolve));
  upstream.behave = (_one, response) => {
    void release.then(() => {
      response.writeHead(200, { 'content-type': family.type });
      for (const piece of family.pieces) response.write(piece);
      response.end();
    });
  };
  const deadline = setTimeout(answer, HELD_MS);
  let refused = 0;
  const jobs = Array.from({ length: many }, () => async (): Promise<Got> => {
    const got = await send('x');
    if (got.status === 409 && ++refused === many - 1) answer();
    return got;
  });
  const all = await inParallel(jobs, WIDTH);
  clearTimeout(deadline);
  const first = all.find(({ status }) => status === 200);
  const told = all.filter(({ status, headers }) => status === 409 && Number(headers['retry-after']) > 0).length;
  const [again, other] = [await send('x'), await send('y')];
  const isSame = again.status === 200 && first?.bytes !== undefined && again.bytes?.equals(first.bytes) === true;
  const wrong = many - 1 - told + (isSame ? 0 : 1) + (other.status === 422 ? 0 : 1);
  const of = { about: family.name, many };
  const calls = upstream.tries.length;
  return [
    { promise: 'once.calls', ...of, value: calls, isKept: calls === 1 },
    { promise: 'once.answers', ...of, many: many + 2, value: wrong, isKept: wrong === 0 },
  ];
}

/** Doing once what comes often. */
export const once: Part = {
  name: 'once',
  async *rows({ streams }) {
    const upstream = await startFaultUpstream();
    const server = await startTestServer({ providers: providersAt(upstream.url), keys: [{ name: 'stress', value: KEY }] });
    try {
      for (const family of FAMILIES) if (!isCount(family)) yield* await oneKey(family, server.url, upstream, streams);
    } finally {
      await server.close();
      await upstream.close();
    }
  },
};
