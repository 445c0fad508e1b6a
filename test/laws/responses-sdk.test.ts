import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/ir/index.ts';
import { sseText } from '../../src/wire/sse.ts';
import { codecOf, collected, decodeFrames, encodeFrames, framesOf, replyContext } from '../corpus/replay.ts';
import { replyEssence } from '../corpus/essence.ts';
import { fixtures } from './fixtures.ts';

/*
 * OpenAI's SDK puts the stream of every conversation together, whatever dialect it was told in, and finds each event where
 * it looks for it.
 */

const responses = codecOf('openai-responses');

/** A client whose server answers with that text. */
const clientOf = (text: string): OpenAI =>
  new OpenAI({
    apiKey: 'k',
    baseURL: 'http://sdk.invalid/v1',
    maxRetries: 0,
    fetch: () => Promise.resolve(new Response(text, { headers: { 'content-type': 'text/event-stream' } })),
  });

describe.each(fixtures())('$protocol/$name', ({ protocol, body, stream }) => {
  it('as a stream of Responses', async () => {
    const upstream = codecOf(protocol);
    const request = { ...upstream.decodeRequest(body), stream: true };
    const events = decodeFrames(upstream, framesOf(stream));
    const own = protocol === 'openai-responses' ? body : {};
    const text = encodeFrames(responses, events, replyContext(request, own)).map((frame) => sseText(frame.data, frame.event));
    const final = await clientOf(text.join('')).responses.stream({ model: 'm', input: 'x' }).finalResponse();
    const told = collected(events, request.tools);
    const said = replyEssence(told);
    expect(final.output_text).toBe(said.text);
    expect(final.output.filter((item) => item.type === 'function_call' || item.type === 'custom_tool_call')).toHaveLength(
      said.calls.length,
    );
    const again = replyEssence(responses.decodeReply(final as unknown as JsonObject, { maker: 'corpus', newId: (prefix) => `${prefix}0` }));
    expect([again.text, again.reasoning, again.calls.map((call) => call.split(' ').slice(1))]).toEqual([
      said.text,
      said.reasoning,
      said.calls.map((call) => call.split(' ').slice(1)),
    ]);
  });
});
