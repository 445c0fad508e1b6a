// Bodies with something wrong in them, by the thousand: each is answered, in the client's own words, and nothing falls over.
import { Agent } from 'node:http';
import fc from 'fast-check';
import { type Dialect, DIALECTS } from '../exchange/dialects.ts';
import { changed, EVIL, JSON_PIECES, placesIn, RICH } from '../exchange/evil-bodies.ts';
import { MEDIA_FAMILIES, mutantOf, wellAt, wrongWith } from '../exchange/evil-media.ts';
import { providersAt } from '../fakes/fault-families.ts';
import { type Behaviour, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startGateway } from './gateway.ts';
import { count, inParallel, type Measured, type Part } from './part.ts';
import { talk } from './talk.ts';
import { websocketBodies } from './websocket-hostile.ts';

const WIDTH = 16;
const HANGS_MS = 20_000;
const PIECES = [...JSON_PIECES, '\ud800', '\uffff', '\\u0000'];

/** An upstream that is well, whatever it is asked: it answers in the protocol of the path. */
const well: Behaviour = ({ path, body }, response) => {
  const dialect =
    DIALECTS.find((one) => one.id !== 'gemini' && path.endsWith(one.path('', false).slice(3))) ?? (DIALECTS.at(-1) as Dialect);
  const isStream = path.includes('stream') || /"stream"\s*:\s*true/.test(body);
  response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' });
  response.end(isStream ? dialect.events.join('') : JSON.stringify(dialect.whole));
};

/** A body of a protocol with one to three things wrong in its values, or in its text. */
function mutant(client: Dialect, model: string): fc.Arbitrary<string> {
  const rich = { ...client.body(model, false), ...RICH[client.id] };
  const places = placesIn(rich).filter(([first]) => first !== undefined && first !== 'model');
  const text = JSON.stringify(rich);
  const edits = fc.array(fc.tuple(fc.constantFrom(...places), EVIL), { minLength: 1, maxLength: 3 });
  const cuts = fc.array(fc.tuple(fc.nat({ max: text.length }), fc.nat({ max: 6 }), fc.constantFrom('', ...PIECES)), {
    minLength: 1,
    maxLength: 3,
  });
  const inValues = edits.map((all) => {
    let body: unknown = rich;
    for (const [place, evil] of all) {
      try {
        body = changed(body, place, evil);
      } catch {
        // An earlier change took the place away.
      }
    }
    return JSON.stringify(body) ?? '';
  });
  const inText = cuts.map((all) => all.reduce((so, [at, cut, put]) => so.slice(0, at) + put + so.slice(at + cut), text));
  return fc.oneof(inValues, inText);
}

interface Answers {
  wrong: number;
  silent: number;
  readonly statuses: Map<number, number>;
  example?: string;
}

/** What is wrong with an answer. */
function fault(client: Dialect, status: number, text: string): string | undefined {
  if (status >= 500) return `status ${status}`;
  if (status === 200) return undefined;
  try {
    client.envelope(JSON.parse(text), status);
    return undefined;
  } catch {
    return `no envelope: ${text.slice(0, 80)}`;
  }
}

/** `bodies` a protocol, over an upstream of each protocol in turn. */
async function* hostileRows(bodies: number, seed: number): AsyncIterable<Measured> {
  const upstream = await startFaultUpstream(well);
  const gateway = await startGateway(providersAt(upstream.url));
  const agent = new Agent({ keepAlive: true });
  try {
    for (const client of DIALECTS) {
      const answers: Answers = { wrong: 0, silent: 0, statuses: new Map() };
      const each = Math.ceil(bodies / DIALECTS.length);
      const sent = DIALECTS.flatMap((target) => {
        const model = `${target.provider}/up`;
        return fc.sample(mutant(client, model), { numRuns: each, seed }).map((body) => ({ body, model }));
      });
      await inParallel(
        sent.map(({ body, model }, at) => async () => {
          const got = await talk({ url: gateway.url + client.path(model, at % 2 === 0), body, agent, withinMs: HANGS_MS });
          if (upstream.tries.length > 1000) upstream.tries.length = 0;
          answers.statuses.set(got.status, (answers.statuses.get(got.status) ?? 0) + 1);
          const why = got.status === 0 || !got.isWhole ? 'no whole answer' : fault(client, got.status, got.text);
          if (why === undefined) return;
          if (got.status === 0 || !got.isWhole) answers.silent++;
          else answers.wrong++;
          answers.example ??= `${why} to ${body.slice(0, 200)}`;
        }),
        WIDTH,
      );
      const isUp = gateway.program.child.exitCode === null && gateway.program.child.signalCode === null;
      const told = [...answers.statuses].toSorted(([a], [b]) => a - b).map(([status, many]) => `${status}: ${count(many)}`);
      const value = (isUp ? 0 : 1) + answers.silent + answers.wrong;
      yield {
        promise: 'hostile.bodies',
        about: client.id,
        value,
        many: sent.length,
        isKept: value === 0,
        detail: `${answers.silent} hangs, ${answers.wrong} wrong; ${told.join(', ')}${answers.example === undefined ? '' : `; ${answers.example}`}`,
      };
    }
    upstream.behave = wellAt;
    yield* mediaRows(gateway.url, agent, bodies, seed);
  } finally {
    agent.destroy();
    await gateway.stop();
    await upstream.close();
  }
}

/** Bodies of the other endpoints, in turn over an upstream that is well. */
async function* mediaRows(url: string, agent: Agent, each: number, seed: number): AsyncIterable<Measured> {
  for (const family of MEDIA_FAMILIES) {
    let silent = 0;
    let wrong = 0;
    let example: string | undefined;
    const { path, type } = family.ask('x');
    const jobs = fc.sample(mutantOf(family), { numRuns: each, seed }).map((body) => async () => {
      const got = await talk({ url: url + path, body, type, agent, withinMs: HANGS_MS });
      const isSilent = got.status === 0 || !got.isWhole;
      const why = isSilent ? 'no whole answer' : wrongWith(family, got.status, got.text);
      if (why === undefined) return;
      if (isSilent) silent++;
      else wrong++;
      example ??= `${why} to ${body.toString().slice(0, 200)}`;
    });
    await inParallel(jobs, WIDTH);
    yield {
      promise: 'hostile.bodies',
      about: family.name,
      value: silent + wrong,
      many: jobs.length,
      isKept: silent + wrong === 0,
      detail: `${silent} hangs, ${wrong} wrong${example === undefined ? '' : `; ${example}`}`,
    };
  }
}

export const hostile: Part = {
  name: 'hostile',
  async *rows({ bodies, seed }) {
    yield* hostileRows(bodies, seed);
    yield* websocketBodies(bodies, seed);
  },
};
