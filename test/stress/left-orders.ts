// Clients that leave while a film is being ordered: who pays for it is not asked again whether it is wanted. It is made, and found in the list of who ordered it.
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Family, FAMILIES, providersAt } from '../fakes/fault-families.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { type Gateway, KEY, startGateway } from './gateway.ts';
import { inParallel, type Measured } from './part.ts';

const WIDTH = 50;
/** By then the gateway has seen that its client has gone. */
const SEEN_MS = 100;
/** Until what was ordered is done, as orders of this many are asked about. */
const DONE_MS = 60_000;

interface Film {
  readonly id: string;
  readonly prompt: string;
  readonly status: string;
}

/** All orders of this key. */
async function films(url: string): Promise<readonly Film[]> {
  const all: Film[] = [];
  for (let after = ''; ;) {
    const got = await fetch(`${url}/v1/videos?limit=100${after}`, { headers: { authorization: `Bearer ${KEY}` } });
    const page = (await got.json()) as { readonly data: readonly Film[]; readonly has_more: boolean };
    all.push(...page.data);
    if (!page.has_more) return all;
    after = `&after=${page.data.at(-1)?.id}`;
  }
}

/** Orders, and leaves as soon as the upstream was asked. Resolves when that has answered. */
function leave(gateway: Gateway, family: Family, mark: string, agent: Agent): Promise<void> {
  const { path, type, body } = family.ask(mark);
  const headers = { 'content-type': type, 'content-length': body.length, authorization: `Bearer ${KEY}` };
  const sent = httpRequest(gateway.url + path, { method: 'POST', headers, agent });
  sent.on('error', () => {});
  sent.end(body);
  return new Promise((resolve) => {
    answering.set(mark, async (answer) => {
      sent.destroy();
      await sleep(SEEN_MS);
      answer();
      resolve();
    });
  });
}

const answering = new Map<string, (answer: () => void) => Promise<void>>();

const answersWhenLeft = (upstream: FaultUpstream, family: Family): void => {
  upstream.behave = (one, response) => {
    const mark = /visitor-\d+-/.exec(one.text)?.[0] ?? '';
    void answering.get(mark)?.(() => {
      response.writeHead(200, { 'content-type': family.type });
      for (const piece of family.pieces) response.write(piece);
      response.end();
    });
    answering.delete(mark);
  };
};

/** `clients` at each endpoint that orders a film. */
export async function* orderRows(clients: number): AsyncIterable<Measured> {
  const upstream = await startFaultUpstream();
  const gateway = await startGateway(providersAt(upstream.url));
  const agent = new Agent({ keepAlive: false });
  try {
    for (const family of FAMILIES.filter(({ makes }) => makes === 'kept')) {
      answersWhenLeft(upstream, family);
      const marks = Array.from({ length: clients }, (_, at) => `visitor-${at}-`);
      await inParallel(
        marks.map((mark) => () => leave(gateway, family, mark, agent)),
        WIDTH,
      );
      const ordered = upstream.tries.filter(({ abandonedAt }) => abandonedAt === undefined).length;
      const until = performance.now() + DONE_MS;
      let done: readonly Film[] = [];
      while (done.length < clients && performance.now() < until) {
        await sleep(200);
        done = (await films(gateway.url)).filter(({ status }) => status === 'completed');
      }
      const found = new Set(done.map(({ prompt }) => prompt));
      const lost = marks.filter((mark) => !found.has(mark)).length;
      const isKept = lost === 0 && ordered === clients && done.length === clients;
      yield { promise: 'time.left-orders', about: family.name, value: lost, many: clients, isKept, detail: `${ordered} ordered` };
      for (const { id } of done) {
        await fetch(`${gateway.url}/v1/videos/${id}`, { method: 'DELETE', headers: { authorization: `Bearer ${KEY}` } });
      }
      upstream.tries.length = 0;
    }
  } finally {
    agent.destroy();
    await gateway.stop();
    await upstream.close();
  }
}
