import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createNotes, GatewayError, type JsonObject } from '../../src/ir/index.ts';
import { codecOf, collected, decodeFrames, framesOf, replyContext, streamText } from '../corpus/replay.ts';
import { PLAIN, type Target } from '../corpus/targets.ts';
import { type Fixture, fixtures } from './fixtures.ts';

/*
 * How a conversation of one dialect reads in the others, as text for the eye: the laws say that nothing is lost, these files
 * what it looks like. After a change that is meant, `vitest run test/laws -u` writes them anew; read what changed.
 */

const FOLDER = join(import.meta.dirname, '../golden');

/** Conversations that show most of what dialects word differently. */
const SHOWN: ReadonlySet<string> = new Set([
  'openai-chat/parallel-tools',
  'openai-chat/signed-details',
  'openai-chat/annotations',
  'anthropic-messages/signed-thinking',
  'anthropic-messages/parallel-tools',
  'anthropic-messages/web-search',
  'anthropic-messages/cached',
  'anthropic-messages/refusal',
  'anthropic-messages/context-management',
  'gemini/signed-calls',
  'gemini/grounded',
  'openai-responses/sealed-reasoning',
  'openai-responses/namespace',
]);

const print = (value: JsonObject): string => JSON.stringify(value, null, 1);

/** The request as a provider of the target's dialect gets it, and its notes; or why it is refused. */
function requestText({ protocol, body }: Fixture, { codec, facts, maker }: Target): string {
  const notes = createNotes();
  try {
    const request = codecOf(protocol).decodeRequest(body);
    const sent = codec.encodeRequest(request, { model: request.model, facts, maker, notes });
    return [print(sent), ...notes.list.map((note) => `note: ${note.field} ${note.what}: ${note.why}`)].join('\n');
  } catch (error) {
    if (error instanceof GatewayError) return `refused: ${error.message}`;
    throw error;
  }
}

/** A golden file: what a provider is asked, and what a client is told, whole and streamed. */
function golden(fixture: Fixture, target: Target): string {
  const upstream = codecOf(fixture.protocol);
  const { codec } = target;
  const request = { ...upstream.decodeRequest(fixture.body), includeUsage: true };
  const events = decodeFrames(upstream, framesOf(fixture.stream));
  const reply = codec.encodeReply(collected(events, request.tools), replyContext(request, {}));
  const stream = streamText(codec, events, replyContext(request, {}));
  return [
    `# Asked of a provider of ${codec.id}`,
    requestText(fixture, target),
    `# Told to a client of ${codec.id}`,
    print(reply),
    '# As a stream',
    stream,
  ].join('\n\n');
}

/** Ids that are made anew each time. */
const steady = (text: string): string => text.replaceAll(/\b([a-z]+_|chatcmpl-)0000\w{4}\b/g, '$1new');

describe.each(fixtures().filter(({ protocol, name }) => SHOWN.has(`${protocol}/${name}`)))('$protocol/$name', (fixture) => {
  it.each(PLAIN.filter(({ codec }) => codec.id !== fixture.protocol))('in the words of $name', async (target) => {
    const file = join(FOLDER, `${fixture.protocol}.${fixture.name}.${target.codec.id}.txt`);
    await expect(steady(golden(fixture, target))).toMatchFileSnapshot(file);
  });
});
