import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createH1Send } from '../../src/upstream/h1-send.ts';
import { createUndiciSend } from '../../src/upstream/undici-send.ts';
import { ROWS } from '../fakes/framings.ts';
import { ask, type Got, onRequest, type RawServer, startRaw } from './wire.ts';

/** What undici takes and we do not, each for a reason. */
const STRICTER: Readonly<Record<string, string>> = {
  'HTTP/2.0': 'we asked in 1.1',
  'HTTP/0.9': 'we asked in 1.1',
  'gzip, chunked': 'nobody would unpack it',
  'chunked, identity': 'a coding that is none',
  xchunked: 'a body whose end is unknown',
  'an empty coding': 'a coding that is none',
  'chunked twice': 'a length that is said twice is not said',
  'HTTP after too many announcements': 'bounded',
};
/** What we take and undici does not. */
const MILDER: Readonly<Record<string, string>> = {
  'an announcement': '100 to a request that did not wait for it is only superfluous',
  'much space around a value': 'white space is white space',
  'space after a size': 'old servers fill their sizes up',
};

let pieces: readonly Buffer[] = [];
let server: RawServer;
const ours = createH1Send();
const theirs = createUndiciSend();
beforeAll(async () => {
  server = await startRaw((socket) =>
    onRequest(socket, () => {
      const next = (at: number): void => {
        const piece = pieces[at];
        if (piece === undefined) socket.end();
        else socket.write(piece, () => setImmediate(next, at + 1));
      };
      next(0);
    }),
  );
});
afterAll(async () => {
  ours.close();
  await theirs.close();
  await server.close();
});

const cut = (wire: string, at: number): Buffer[] => {
  const bytes = Buffer.from(wire, 'latin1');
  const place = at % (bytes.length + 1);
  return [bytes.subarray(0, place), bytes.subarray(place)].filter((piece) => piece.length > 0);
};

const told = ({ status, headers, body, fault }: Got): unknown => ({ status, headers: { ...headers }, body, code: fault?.code });

describe('the same bytes through our client and through undici', () => {
  it.each(ROWS.map(([name, wire, , options]) => ({ name, wire, isHead: options?.isHead ?? false })))(
    '$name',
    async ({ name, wire, isHead }) => {
      const request = isHead ? { method: 'HEAD', body: [] } : {};
      pieces = cut(wire, wire.length);
      const our = await ask(ours.send, server.origin, request);
      const their = await ask(theirs.send, server.origin, request);
      if (name in STRICTER) {
        expect([our.fault?.code, their.fault]).toEqual(['upstream_malformed', undefined]);
      } else if (name in MILDER) {
        expect([our.fault, their.fault?.kind]).toEqual([undefined, 'upstream']);
      } else if (our.fault) {
        expect(their.fault?.kind).toBe('upstream');
      } else {
        expect(told(our)).toEqual(told(their));
      }
      // However it comes.
      await fc.assert(
        fc.asyncProperty(fc.nat(wire.length), async (at) => {
          pieces = cut(wire, at);
          expect(told(await ask(ours.send, server.origin, request))).toEqual(told(our));
        }),
        { numRuns: 8 },
      );
    },
  );

  it('of noise: it ends, with a fault or an answer', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
            fc.constantFrom('HTTP/1.1 200 OK\r\n', '\r\n\r\n', 'content-length: 9').map((text) => Buffer.from(text)),
          ),
          { minLength: 1, maxLength: 6 },
        ),
        async (noise) => {
          pieces = noise;
          const { fault } = await ask(ours.send, server.origin);
          expect(fault === undefined || fault.kind === 'upstream').toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});
