// Recorded traffic behind official SDKs: every recorded reply is served by a provider on loopback, its bytes cut at random
// places, and each SDK reads it through a real gateway in its own protocol. It must find the same text, calls, stop reason
// and usage; a recorded error must be raised as the class that the SDK has for it. Arguments: part of an id; --all: every
// failure of a recording.
import type { ProtocolId } from '../../src/ir/index.ts';
import { type ReplyEssence, replyEssence } from './essence.ts';
import { type Codec, codecOf, collected, decodeFrames, SOURCE } from './replay.ts';
import { replyDifferences } from './reply-checks.ts';
import { type Read, type SdkClient, sdkClients } from './sdk-clients.ts';
import { type Reading, readRecordings, toldStatus, withoutImages } from './sdk-replay.ts';

/** What is wrong with what an SDK found in a reply. */
function* readProblems(client: Codec, upstream: ProtocolId, meant: ReplyEssence, read: Read): Iterable<string> {
  const bare = (one: ReplyEssence): ReplyEssence =>
    client.id === 'openai-chat' && meant.media.length > 0 ? { ...one, text: withoutImages(one.text) } : one;
  const said = bare(meant);
  if (read.frames) {
    const found = bare(replyEssence(collected(decodeFrames(client, read.frames))));
    for (const why of replyDifferences(client.id, { upstream, said, streamed: true }, found)) yield `its events: ${why}`;
  }
  if (!read.reply) return;
  const found = bare(replyEssence(client.decodeReply(read.reply, SOURCE)));
  const differences = replyDifferences(client.id, { upstream, said, streamed: read.frames !== undefined }, found);
  // What an SDK puts together itself has a place for what its vendor sends; that much must be right.
  const isOwn = /^(text|refusal|calls|stop|usage|model):/;
  for (const why of differences) if (!read.frames || isOwn.test(why)) yield `its reply: ${why}`;
}

/** Sources that a stream of Gemini tells when its text is over come too late for Messages, where they stand in the text's block. */
const isLate = (client: ProtocolId, upstream: ProtocolId): boolean => client === 'anthropic-messages' && upstream === 'gemini';

/** Reads one recording with one SDK. */
async function problemsOf(client: SdkClient, { recording, codec, meaning, streamed }: Reading, model: string): Promise<readonly string[]> {
  const own = codecOf(client.protocol);
  try {
    const read = await client.read(model, streamed);
    if ('kind' in meaning) return ['an error was read as a reply'];
    const problems = [...readProblems(own, codec.id, meaning, read)];
    return isLate(client.protocol, codec.id) ? problems.filter((why) => !why.startsWith('its events: citations')) : problems;
  } catch (error) {
    if (!('kind' in meaning)) return [`raised ${error instanceof Error ? `${error.name}: ${error.message.slice(0, 300)}` : String(error)}`];
    // In mid-stream there is no status any more.
    if (recording.response.status < 300) return error instanceof Error ? [] : ['nothing was raised'];
    const wrong = client.wrongFor(error, toldStatus(client.protocol, meaning));
    return wrong === undefined ? [] : [wrong];
  }
}

process.exitCode = await readRecordings({
  name: 'SDKs on the corpus',
  bothForms: true,
  readersAt: (address) =>
    sdkClients(address).map((client) => ({
      name: client.protocol,
      protocol: client.protocol,
      problems: (reading, model) => problemsOf(client, reading, model),
    })),
});
