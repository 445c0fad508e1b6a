// Recorded traffic behind official SDKs: every recorded reply is served by a provider on loopback, its bytes cut at random
// places, and each SDK reads it through a real gateway in its own protocol. It must find the same text, calls, stop reason
// and usage; a recorded error must be raised as the class that the SDK has for it. Argument: part of an id; --all.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Fault, GatewayError, type JsonObject, type ProtocolId } from '../../src/ir/index.ts';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { startTestServer } from '../server.ts';
import { type ReplyEssence, replyEssence } from './essence.ts';
import { isCall, isErrorRecording, isQueued, recordedEvents } from './recorded-reply.ts';
import { corpusFolder, FOLDERS, type Recording, recordings } from './recordings.ts';
import { type Codec, codecOf, collected, decodeFrames, framesOf, SOURCE, unfolded } from './replay.ts';
import { replyDifferences } from './reply-checks.ts';
import { type Read, type SdkClient, sdkClients } from './sdk-clients.ts';
import { isStreamed, otherForm, type ReplayUpstream, startReplay } from './sdk-upstream.ts';

const known = JSON.parse(readFileSync(join(import.meta.dirname, 'known-failures.json'), 'utf8')) as Record<string, string>;
const only = process.argv.slice(2).find((word) => !word.startsWith('--'));
const verbose = process.argv.includes('--all');

/** How many recordings are read at once. */
const AT_ONCE = 8;

/** A provider of each protocol, all of them at one address. */
const providersAt = (url: string): Record<string, ProviderSettings> => ({
  'openai-chat': { preset: 'openai-compatible', baseUrl: url, key: 'x', protocols: ['openai-chat'] },
  'openai-responses': { preset: 'openai-compatible', baseUrl: url, key: 'x', protocols: ['openai-responses'] },
  'anthropic-messages': { preset: 'anthropic-compatible', baseUrl: url, key: 'x' },
  gemini: { preset: 'gemini-compatible', baseUrl: url, key: 'x' },
});

/** What the recording says, or the fault that it is. */
function meaningOf(recording: Recording, codec: Codec): ReplyEssence | Fault {
  const { response } = recording;
  if (response.status >= 400) {
    const text = response.sse?.join('') ?? response.bodyText ?? JSON.stringify(response.body ?? '');
    return codec.decodeFault(response.status, text);
  }
  try {
    const events = recordedEvents(recording, codec);
    const last = events.at(-1);
    return last?.type === 'fault' ? last.fault : replyEssence(collected(events));
  } catch (error) {
    if (error instanceof GatewayError && isErrorRecording(recording)) return error.fault;
    throw error;
  }
}

/** The status that a client is told for an upstream's fault: the table of the errors, and what concerns our own credential. */
function toldStatus(client: ProtocolId, { kind, status }: Fault): number {
  if (kind === 'authentication' || kind === 'permission' || kind === 'billing') return 502;
  if (kind === 'overloaded') return client === 'anthropic-messages' ? 529 : 503;
  if (kind === 'timeout' && status >= 500) return 504;
  return status >= 500 ? 502 : status;
}

/** What is wrong with what an SDK found in a reply. */
function* readProblems(client: Codec, upstream: ProtocolId, said: ReplyEssence, read: Read): Iterable<string> {
  if (read.frames) {
    const found = replyEssence(collected(decodeFrames(client, read.frames)));
    for (const why of replyDifferences(client.id, { upstream, said, streamed: true }, found)) yield `its events: ${why}`;
  }
  if (!read.reply) return;
  const found = replyEssence(client.decodeReply(read.reply, SOURCE));
  const differences = replyDifferences(client.id, { upstream, said, streamed: read.frames !== undefined }, found);
  // What an SDK puts together itself has a place for what its vendor sends; that much must be right.
  const isOwn = /^(text|refusal|calls|stop|usage|model):/;
  for (const why of differences) if (!read.frames || isOwn.test(why)) yield `its reply: ${why}`;
}

/** Sources that a stream of Gemini tells when its text is over come too late for Messages, where they stand in the text's block. */
const isLate = (client: ProtocolId, upstream: ProtocolId): boolean => client === 'anthropic-messages' && upstream === 'gemini';

/** A recording that an SDK reads, in one of its forms. */
interface Reading {
  readonly recording: Recording;
  readonly codec: Codec;
  readonly meaning: ReplyEssence | Fault;
  readonly streamed: boolean;
}

/** Reads one recording with one SDK. */
async function problemsOf(client: SdkClient, { recording, codec, meaning, streamed }: Reading, model: string): Promise<readonly string[]> {
  const own = codecOf(client.protocol);
  if (!own) throw new Error(`${client.protocol} is not spoken`);
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

interface Tally {
  total: number;
  failed: number;
  /** What an SDK cannot read of its provider either, with no gateway between them: bytes pass between equals as they are. */
  unreadable: number;
}

/** Work in parallel, in order of coming. */
async function eachOf<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

interface Stage {
  readonly corpus: string;
  readonly upstream: ReplayUpstream;
  /** In front of the gateway, and right in front of the provider. */
  readonly clients: readonly { readonly client: SdkClient; readonly direct: SdkClient }[];
}

const isRead = (recording: Recording): boolean =>
  isCall(recording) && !isQueued(recording) && known[recording.id] === undefined && (only === undefined || recording.id.includes(only));

/** The forms in which a recording is read; an error has one only. What the other form says is what its dialect can say there. */
function formsOf(recording: Recording, codec: Codec): readonly Reading[] {
  const reading = { recording, codec, meaning: meaningOf(recording, codec), streamed: isStreamed(recording) };
  if ('kind' in reading.meaning) return [reading];
  const other = otherForm(recording, codec);
  const events = reading.streamed
    ? unfolded(codec.decodeReply(JSON.parse(other) as JsonObject, SOURCE))
    : decodeFrames(codec, framesOf(Buffer.from(other)));
  return [reading, { ...reading, streamed: !reading.streamed, meaning: replyEssence(collected(events)) }];
}

async function replay({ corpus, upstream, clients }: Stage, folder: string, codec: Codec): Promise<Tally> {
  const tally: Tally = { total: 0, failed: 0, unreadable: 0 };
  await eachOf(recordings(corpus, folder), async (recording) => {
    if (!isRead(recording)) return;
    const model = `r${tally.total++}`;
    upstream.put(model, recording, codec);
    const failures: string[] = [];
    let isUnreadable = false;
    for (const reading of formsOf(recording, codec)) {
      for (const { client, direct } of clients) {
        const wrong = await problemsOf(client, reading, `${codec.id}/${model}`);
        const isOwn = client.protocol === codec.id && wrong.length > 0;
        if (isOwn && (await problemsOf(direct, reading, model)).join() === wrong.join()) isUnreadable = true;
        else failures.push(...wrong.map((why) => `${reading.streamed ? 'stream' : 'whole'} → ${client.protocol}: ${why}`));
      }
    }
    if (isUnreadable) tally.unreadable++;
    if (failures.length === 0) return;
    tally.failed++;
    for (const why of failures.slice(0, verbose ? 100 : 2)) console.log(`${recording.id}  ${why}`);
  });
  return tally;
}

async function main(): Promise<number> {
  const corpus = corpusFolder();
  if (corpus === undefined) {
    console.log('SDKs on the corpus: skipped (no corpus folder; set PAILOU_CORPUS)');
    return 0;
  }
  const upstream = await startReplay();
  const server = await startTestServer({ providers: providersAt(upstream.url) });
  const direct = sdkClients({ url: upstream.url, key: 'x' });
  const clients = sdkClients(server).map((client, index) => ({ client, direct: direct[index] ?? client }));
  let [passed, failed] = [0, 0];
  for (const [folder, id] of FOLDERS) {
    const codec = codecOf(id);
    if (!codec) throw new Error(`${id} is not spoken`);
    const tally = await replay({ corpus, upstream, clients }, folder, codec);
    const good = tally.total - tally.failed;
    console.log(
      `${id}: ${good} of ${tally.total} recordings are read by every SDK as they are meant; ${tally.unreadable} not by their vendor's own, also without a gateway`,
    );
    failed += tally.failed;
    passed += tally.total - tally.failed;
  }
  await server.close();
  await upstream.close();
  for (const defect of server.defects) console.log('defect:', defect);
  console.log(`SDKs on the corpus: ${passed} passed, ${failed + server.defects.length} failed`);
  return failed + server.defects.length > 0 ? 1 : 0;
}

process.exitCode = await main();
