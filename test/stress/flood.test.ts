import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chat } from '../exchange/dialects.ts';
import { type Crowd, crowdOf } from './crowds.ts';
import type { Ask } from './flood.ts';
import { KEY } from './gateway.ts';

const REFUSAL = JSON.stringify(chat.error(429, 'too much'));

/** What a server answers, and what that counts as. */
const ANSWERS = [
  { name: 'served', status: 200, text: '{"id":1}' },
  { name: 'refused', status: 503, text: REFUSAL, retryAfter: '1' },
  { name: 'failed: it does not say when to come back', status: 503, text: REFUSAL },
  { name: 'failed: it is refused in words of no protocol', status: 503, text: 'busy', retryAfter: '1' },
  { name: 'failed: an error after the status has gone out', status: 200, text: 'data: {"error":{"message":"it broke"}}\n\n' },
  { name: 'failed: it is empty', status: 200, text: '' },
];
const asks = ANSWERS.map((_, at): Ask => ({ path: `/${at}`, type: 'application/json', body: '{}', dialect: chat.id }));

let server: Server;
let crowd: Crowd;
beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    const { status, text, retryAfter } = ANSWERS[Number(request.url?.slice(1))] ?? { status: 404, text: '' };
    response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  crowd = crowdOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, asks);
});
afterAll(() => {
  crowd.stop();
  server.closeAllConnections();
  server.close();
});

it('each thing is asked for as often as the others, and what came of it is told apart', async () => {
  const { asked, each, served, refused, failed } = await crowd.ask({ key: KEY, pace: { burst: 30 }, seconds: 0 });
  expect([asked, served.length, refused.length, failed]).toEqual([30, 5, 5, 20]);
  const seen = each.map((one) => ({ served: one.served, refused: one.refused.length, failed: one.failed }));
  expect(seen).toEqual(
    ANSWERS.map(({ name }) => {
      const kind = name.split(':')[0];
      return { served: kind === 'served' ? 5 : 0, refused: kind === 'refused' ? 5 : 0, failed: kind === 'failed' ? 5 : 0 };
    }),
  );
});

it('only some of it, where only that is wanted, for as long as it is wanted', async () => {
  const { rate, each, failed } = await crowd.ask({ key: KEY, pace: { width: 2 }, seconds: 0.5, before: 0.1, asks: asks.slice(0, 1) });
  expect(each).toHaveLength(1);
  expect(rate).toBeGreaterThan(0);
  expect(each[0]?.rate).toBe(rate);
  expect(failed).toBe(0);
});
