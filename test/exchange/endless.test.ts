// Answers of upstreams that begin well and never end, at every endpoint: who waits for all of it is told of an error at a bound, and where it
// passes as it comes, a client that does not read stops the upstream.
import { type ClientRequest, request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Endless, FILLERS, MORE_ENDLESS, moreProvidersAt, pour, type Poured } from '../fakes/endless.ts';
import type { Asked, Family } from '../fakes/family.ts';
import { FAMILIES, providersAt } from '../fakes/fault-families.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { saysFailed } from '../fakes/seen.ts';
import { startTestServer, type TestServer } from '../server.ts';

const MIB = 2 ** 20;
/** What a client reads before it stops. */
const READ_BYTES = 2 * MIB;
/** What may be under way to a client that does not read: most is in the sockets on both sides, which the system makes as large as it likes. */
const MAX_UNREAD_BYTES = 24 * MIB;
/** No answer that is held is larger; with what is sent before the upstream hears of that. */
const MAX_HELD_BYTES = (256 + 24) * MIB;
/** Nothing more was taken for so long: it stands. */
const QUIET_MS = 150;
/** The end of an answer: errors stand there. */
const TAIL = 16 * 1024;

let upstream: FaultUpstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startFaultUpstream();
  server = await startTestServer({
    sandbox: false,
    providers: { ...providersAt(upstream.url), ...moreProvidersAt(upstream.url) },
  });
});
afterAll(async () => {
  await server.close();
  await upstream.close();
  expect(server.defects).toEqual([]);
});

/** What a client saw of it. */
interface Saw {
  readonly status: number;
  readonly end: string;
  readonly isCut: boolean;
  /** It got much of it, and reads no more. */
  readonly stopped?: ClientRequest;
}

function ask({ path, type, body }: Asked, reads = false): Promise<Saw> {
  const headers = { 'content-type': type, 'content-length': body.length, authorization: `Bearer ${server.key}` };
  return new Promise((resolve, reject) => {
    const sent = httpRequest(server.url + path, { method: 'POST', headers, agent: false }, (response) => {
      const { statusCode: status = 0 } = response;
      let end = '';
      let length = 0;
      response.on('error', () => {});
      response.on('data', (piece: Buffer) => {
        length += piece.length;
        end = (end + piece.toString('latin1')).slice(-TAIL);
        if (reads || length < READ_BYTES) return;
        response.pause();
        resolve({ status, end, isCut: false, stopped: sent });
      });
      response.on('close', () => resolve({ status, end, isCut: !response.complete }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Nothing is poured before somebody asks. */
async function check(family: Family, filler: Buffer, reads?: true): Promise<void> {
  const poured: Poured = { bytes: 0, takenAt: 0, isOver: false };
  upstream.behave = (_one, response) => pour(family, response, filler, poured, MAX_HELD_BYTES);
  const saw = await ask(family.ask('case-1-'), reads);
  if (saw.stopped) {
    await expect.poll(() => performance.now() - poured.takenAt, { timeout: 10_000, interval: 25 }).toBeGreaterThan(QUIET_MS);
    expect(poured.bytes).toBeLessThan(READ_BYTES + MAX_UNREAD_BYTES);
    saw.stopped.destroy();
  } else {
    expect(poured.bytes).toBeLessThan(MAX_HELD_BYTES);
    if (saw.status !== 200) expect(JSON.parse(saw.end)).toHaveProperty('error.message');
    // Sound has no place for an error.
    else expect(family.seen === 'bytes' ? saw.isCut : saysFailed(saw.end)).toBe(true);
  }
  await expect.poll(() => poured.isOver, { timeout: 10_000, interval: 10 }).toBe(true);
  await expect.poll(() => server.app.active(), { timeout: 10_000, interval: 10 }).toBe(0);
}

/** As much of an error as may be read, and what is sent before the upstream hears of that. */
const MAX_ERROR_BYTES = 16 * MIB;
const COMPLAINT = Buffer.alloc(64 * 1024, 'x');

async function checkError(family: Family): Promise<void> {
  const poured: Poured = { bytes: 0, takenAt: 0, isOver: false };
  upstream.behave = (_one, response) => pour({ type: 'text/plain', pieces: [] }, response, COMPLAINT, poured, MAX_HELD_BYTES, 400);
  const saw = await ask(family.ask('case-1-'), true);
  expect(poured.bytes).toBeLessThan(MAX_ERROR_BYTES);
  if (saw.status === 200) expect(family.isLate === true && saysFailed(saw.end)).toBe(true);
  else expect(JSON.parse(saw.end)).toHaveProperty('error.message');
  await expect.poll(() => poured.isOver, { timeout: 10_000, interval: 10 }).toBe(true);
}

describe.each(FAMILIES)('$name', (family) => {
  it('an error that never ends', () => checkError(family), 60_000);
  it.each(FILLERS.filter(({ fits }) => fits(family)))('$name for ever', ({ of }) => check(family, of(family)), 60_000);
});

it.each(MORE_ENDLESS)('$name', ({ family, filler, reads }: Endless) => check(family, filler, reads), 60_000);
