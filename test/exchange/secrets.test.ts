import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, json, stream } from '../fakes/upstream.ts';
import { type Dialect, PAIRS } from './dialects.ts';
import { ask, type Got, setStage, type Stage, told } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.close());

const SECRET = 'up-secret';
/** What some providers say of a request that they do not like. */
const said = (): string => `it broke: key '${SECRET}' may not POST ${stage.upstream.url}/v1`;
const SHOWN = "it broke: key '[secret]' may not POST [address]/v1";

const PLACES: readonly { readonly name: string; readonly streamed: boolean; readonly answer: (upstream: Dialect) => Answer }[] = [
  { name: 'a 400', streamed: false, answer: (upstream) => json(upstream.error(400, said()), 400) },
  { name: 'a 404 of a stream', streamed: true, answer: (upstream) => json(upstream.error(404, said()), 404) },
  { name: 'a 429', streamed: false, answer: (upstream) => json(upstream.error(429, said()), 429) },
  { name: 'a 500', streamed: false, answer: (upstream) => json(upstream.error(500, said()), 500) },
  { name: 'a 200', streamed: false, answer: (upstream) => json(upstream.error(400, said())) },
  { name: 'the first event', streamed: true, answer: (upstream) => stream([upstream.errorEvent.replace('it broke', said())]) },
  {
    name: 'a later event',
    streamed: true,
    answer: (upstream) => stream([...upstream.events.slice(0, upstream.before), upstream.errorEvent.replace('it broke', said())]),
  },
];

const messageOf = (client: Dialect, got: Got, streamed: boolean): string | undefined => {
  const type = String(got.headers['content-type']);
  if (streamed && !type.includes('json')) return told(client, got).error;
  return client.envelope(JSON.parse(got.text), got.status).message;
};

describe('a provider that says our credential and its address', () => {
  describe.each(PAIRS)('$client.id in front of $upstream.id', ({ client, upstream }) => {
    it.each(PLACES)('in $name: the client reads neither', async ({ streamed, answer }) => {
      stage.upstream.answer = answer(upstream);
      const got = await ask(stage, client, upstream, streamed);
      expect(got.text).not.toContain(SECRET);
      expect(got.text).not.toContain(new URL(stage.upstream.url).host);
      expect(messageOf(client, got, streamed)).toContain(SHOWN);
    });
  });
});
