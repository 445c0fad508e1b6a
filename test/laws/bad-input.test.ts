import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNotes, GatewayError, isObject, type Json, type JsonObject } from '../../src/ir/index.ts';
import {
  codecOf,
  collected,
  decodeFrames,
  encodeFrames,
  framesOf,
  grammarProblem,
  PROTOCOLS,
  replyContext,
  SOURCE,
} from '../corpus/replay.ts';
import { PLAIN } from '../corpus/targets.ts';
import { fixtures } from './fixtures.ts';

/*
 * Requests and replies with something wrong in them: one or a few members replaced, anywhere. Whatever it is, the answer is
 * a reply or a fault that says why; never a crash, and never events out of order.
 */

const RUNS = 40;

const clients = PROTOCOLS.map(codecOf);

/** Every place in a value. */
function placesIn(value: Json | undefined, at: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (Array.isArray(value)) return [at, ...(value as readonly Json[]).flatMap((one, index) => placesIn(one, [...at, index]))];
  return isObject(value) ? [at, ...Object.entries(value).flatMap(([key, one]) => placesIn(one, [...at, key]))] : [at];
}

/** The value with another at a place. */
function replaced(value: Json | undefined, [step, ...rest]: readonly (string | number)[], by: Json): Json {
  if (step === undefined) return by;
  if (Array.isArray(value)) return (value as readonly Json[]).map((one, index) => (index === step ? replaced(one, rest, by) : one));
  return isObject(value) ? { ...value, [step]: replaced(value[String(step)], rest, by) } : (value ?? null);
}

const anything = fc.oneof(
  fc.constantFrom<Json>(null, '', 0, -1, 1.5, true, [], {}, 'x', ['x'], { type: 'x' }, { text: 1 }, [[]], [null], '__proto__'),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
);
const changes = fc.array(fc.tuple(fc.nat(), anything), { minLength: 1, maxLength: 3 });

/** The value with a few places replaced. */
function spoiled(value: JsonObject, wrong: readonly (readonly [number, Json])[]): JsonObject {
  let out: Json = value;
  for (const [at, by] of wrong) {
    const places = placesIn(out).slice(1);
    const place = places[at % Math.max(places.length, 1)];
    if (place) out = replaced(out, place, by);
  }
  return isObject(out) ? out : {};
}

/** Does the work; what it throws must be a fault that says something. */
function tried<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    expect(error.fault.message).not.toBe('');
    return undefined;
  }
}

describe.each(fixtures())('$protocol/$name', ({ protocol, body, whole, stream }) => {
  const upstream = codecOf(protocol);
  const request = { ...upstream.decodeRequest(body), includeUsage: true };

  it('a spoiled request is read or refused by a field, and written or refused', () => {
    fc.assert(
      fc.property(changes, (wrong) => {
        const read = tried(() => upstream.decodeRequest(spoiled(body, wrong)));
        if (!read) return;
        for (const { codec: target, facts, maker } of PLAIN)
          tried(() => target.encodeRequest(read, { model: 'm', facts, maker, notes: createNotes() }));
      }),
      { numRuns: RUNS },
    );
  });

  it('a spoiled reply is told or is a fault', () => {
    fc.assert(
      fc.property(changes, (wrong) => {
        const reply = tried(() => upstream.decodeReply(spoiled(whole, wrong), SOURCE));
        if (!reply) return;
        for (const client of clients) tried(() => client.encodeReply(reply, replyContext(request, {})));
      }),
      { numRuns: RUNS },
    );
  });

  it('a stream with spoiled, lost or repeated frames follows the grammar to its end', () => {
    const frames = framesOf(stream);
    fc.assert(
      fc.property(fc.nat({ max: frames.length - 1 }), fc.constantFrom('spoiled', 'lost', 'twice'), changes, (at, how, wrong) => {
        const frame = frames[at];
        if (!frame) return;
        const data =
          how === 'spoiled' && frame.data.startsWith('{')
            ? JSON.stringify(spoiled(JSON.parse(frame.data) as JsonObject, wrong))
            : frame.data;
        const middle = how === 'lost' ? [] : how === 'twice' ? [frame, frame] : [{ ...frame, data }];
        const events = tried(() => decodeFrames(upstream, [...frames.slice(0, at), ...middle, ...frames.slice(at + 1)]));
        if (!events) return;
        expect(grammarProblem(events)).toBeUndefined();
        tried(() => collected(events, request.tools));
        for (const client of clients) tried(() => encodeFrames(client, events, replyContext(request, {})));
      }),
      { numRuns: RUNS },
    );
  });
});

describe('an error body of any shape', () => {
  it.each(clients)('reads as a fault of $id', (client) => {
    fc.assert(
      fc.property(fc.constantFrom(400, 401, 404, 429, 500, 503), anything, (status, value) => {
        const fault = client.decodeFault(status, JSON.stringify(value));
        expect(fault.status).toBeGreaterThanOrEqual(400);
        expect(fault.message).not.toBe('');
        for (const other of clients) expect(other.encodeFault(fault, 'req_1').status).toBeGreaterThanOrEqual(400);
      }),
      { numRuns: 100 },
    );
  });
});
