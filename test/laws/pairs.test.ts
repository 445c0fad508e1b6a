import { describe, expect, it } from 'vitest';
import type { ChatRequest, JsonObject, Reply, ReplyEvent } from '../../src/ir/index.ts';
import {
  type Codec,
  codecOf,
  collected,
  decodeFrames,
  encodeFrames,
  framesOf,
  grammarProblem,
  MAKER,
  PROTOCOLS,
  replyContext,
  SOURCE,
  unfolded,
} from '../corpus/replay.ts';
import { failureProblems, type Replayed, replyProblems } from '../corpus/reply-checks.ts';
import { requestProblems } from '../corpus/request-checks.ts';
import { replyEssence } from '../corpus/essence.ts';
import { PLAIN } from '../corpus/targets.ts';
import { failedStreamProblem } from '../corpus/wire-grammar.ts';
import { type Fixture, fixtures } from './fixtures.ts';

/*
 * What holds for every conversation of every dialect, whichever the client speaks: both forms say the same, are legal by
 * the client's dialect, and keep what was said; and a failure never looks like success.
 */

/** A fixture as every law begins with it. */
function replayed({ protocol, body, stream }: Fixture): Replayed {
  const upstream = codecOf(protocol);
  const request: ChatRequest = { ...upstream.decodeRequest(body), stream: true, includeUsage: true };
  return { upstream: protocol, events: decodeFrames(upstream, framesOf(stream)), request, body };
}

/** What a client is told, whatever the form. A chat message has a place for each kind: the order between them, and where one seal ends, shows in a stream only. */
const formless = (client: Codec, reply: Reply): unknown => {
  const said = replyEssence(reply);
  return client.id === 'openai-chat' ? { ...said, order: [], seals: said.seals.length > 0 } : said;
};

describe.each(fixtures())('$protocol/$name', (fixture) => {
  const told = replayed(fixture);
  const clients = PROTOCOLS.map(codecOf);

  it.each(clients)('to a client of $id: legal in both forms, and nothing is lost', (client) => {
    expect([...replyProblems(client, told)]).toEqual([]);
  });

  it.each(clients)('to a client of $id: whole and stream say the same', (client) => {
    const { request, events } = told;
    const body: JsonObject = client.id === fixture.protocol ? fixture.body : {};
    const reply = collected(events, request.tools);
    const whole = client.decodeReply(client.encodeReply(reply, replyContext(request, body)), SOURCE);
    const stream = collected(decodeFrames(client, encodeFrames(client, events, replyContext(request, body))));
    const fromWhole = collected(decodeFrames(client, encodeFrames(client, unfolded(reply), replyContext(request, body))));
    expect(formless(client, stream)).toEqual(formless(client, whole));
    expect(formless(client, fromWhole)).toEqual(formless(client, whole));
  });

  it.each(clients)('to a client of $id: cut after any event it fails, and never looks complete', (client) => {
    const after = told.events.map((_, index) => index);
    expect([...failureProblems(client, told, after)]).toEqual([]);
  });

  it.each(clients)('to a client of $id: cut after any frame of the upstream, likewise', (client) => {
    const upstream = codecOf(fixture.protocol);
    const frames = framesOf(fixture.stream);
    for (let count = 0; count < frames.length; count++) {
      const events = decodeFrames(upstream, frames.slice(0, count), {
        kind: 'upstream',
        status: 502,
        message: 'The upstream broke off',
        by: 'gateway',
      });
      expect(grammarProblem(events)).toBeUndefined();
      if (isOver(events)) continue;
      const sent = encodeFrames(client, events, replyContext(told.request, {}));
      expect(failedStreamProblem(client.id, sent), `after ${count} frames`).toBeUndefined();
    }
  });

  it.each([...PLAIN])('its request goes to a provider of $name and back: legal, and without loss beyond its notes', (target) => {
    const { stream, ...request } = told.request;
    const problems = requestProblems(fixture.protocol, { ...request, stream }, target, () => {});
    expect([...problems]).toEqual([]);
  });

  it('the whole says what the stream says', () => {
    const whole = codecOf(fixture.protocol).decodeReply(fixture.whole, SOURCE);
    const { seals: _seals, ...said } = replyEssence(collected(told.events));
    expect(replyEssence(whole)).toMatchObject(said);
  });
});

const isOver = (events: readonly ReplyEvent[]): boolean => events.at(-1)?.type === 'reply-end';

describe('every fixture', () => {
  it('has sealed state of one maker only', () => {
    for (const fixture of fixtures())
      for (const event of replayed(fixture).events)
        if (event.type === 'part-end' && event.seal) expect(event.seal).toMatchObject({ maker: MAKER });
  });
});
