import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createGrammarCheck,
  createNotes,
  DEFAULT_FACTS,
  GatewayError,
  type Json,
  type JsonObject,
  type ReplyEvent,
} from '../../ir/index.ts';
import { openaiResponses } from './index.ts';

/* Whatever comes in place of a member: a client is told which field is wrong, and a provider's nonsense never throws. */

const FOLDER = join(import.meta.dirname, '../../../test/fixtures/openai-responses');
const files = readdirSync(FOLDER);
const requests = files
  .filter((file) => file.endsWith('.request.json'))
  .map((file) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as JsonObject);
const streams = files
  .filter((file) => file.endsWith('.stream.txt'))
  .map((file) =>
    readFileSync(join(FOLDER, file), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('data: {'))
      .map((line) => JSON.parse(line.slice(6)) as JsonObject),
  );

const evil: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json[]>(
    null,
    7,
    -1,
    true,
    '',
    'x',
    [],
    {},
    [null],
    [7],
    ['x'],
    { type: 7 },
    { type: 'message' },
    [{}],
    [{ type: 'function' }],
  ),
  fc.constant(JSON.parse('{"__proto__":{"a":1},"constructor":{"prototype":1}}') as Json),
);

/** Puts a value in the place of the member that `way` leads to. */
function replaced(value: Json, way: readonly number[], put: Json): Json {
  const [step, ...rest] = way;
  if (step === undefined || typeof value !== 'object' || value === null) return put;
  const keys = Object.keys(value);
  const key = keys[step % Math.max(keys.length, 1)];
  if (key === undefined) return put;
  if (Array.isArray(value)) return (value as readonly Json[]).map((one, at) => (String(at) === key ? replaced(one, rest, put) : one));
  const from = value as JsonObject;
  return { ...from, [key]: replaced(from[key] ?? null, rest, put) };
}

const way = fc.array(fc.nat(12), { minLength: 1, maxLength: 5 });

/** Runs it; anything but a refusal that names its field is a defect. */
function refusesAtMost(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    expect(error.fault).toMatchObject({ kind: 'bad_request', status: 400, param: expect.any(String) });
  }
}

describe('hostile input', () => {
  it('requests', () => {
    const facts = { ...DEFAULT_FACTS, ...openaiResponses.facts };
    fc.assert(
      fc.property(fc.constantFrom(...requests), way, evil, (body, path, put) =>
        refusesAtMost(() => {
          const request = openaiResponses.decodeRequest(replaced(body, path, put) as JsonObject);
          openaiResponses.encodeRequest(request, { model: 'm', facts, maker: 'them', notes: createNotes() });
          openaiResponses.encodeRequest({ ...request, residue: {} }, { model: 'm', facts, maker: 'them', notes: createNotes() });
        }),
      ),
      { numRuns: 2000 },
    );
  });

  it('streams', () => {
    fc.assert(
      fc.property(fc.constantFrom(...streams), fc.nat(60), way, evil, (events, at, path, put) => {
        const decoder = openaiResponses.streamDecoder({ maker: 'them', newId: (prefix) => `${prefix}0` });
        const check = createGrammarCheck();
        const wrong: string[] = [];
        const emit = (event: ReplyEvent): void => {
          const problem = check.next(event);
          if (problem) wrong.push(problem);
        };
        events.forEach((event, index) => {
          const one = index === at % events.length ? replaced(event, path, put) : event;
          decoder.frame({ data: JSON.stringify(one) }, emit);
        });
        decoder.end(emit);
        expect([...wrong, check.end()]).toEqual([undefined]);
      }),
      { numRuns: 1000 },
    );
  });

  it('whole replies', () => {
    const bodies = streams.map((events) => events.at(-1)?.['response'] as JsonObject);
    fc.assert(
      fc.property(fc.constantFrom(...bodies), way, evil, (body, path, put) => {
        try {
          openaiResponses.decodeReply(replaced(body, path, put) as JsonObject, { maker: 'them', newId: (prefix) => `${prefix}0` });
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
