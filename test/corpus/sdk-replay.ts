import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Fault, GatewayError, type JsonObject, type ProtocolId } from '../../src/ir/index.ts';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { startTestServer } from '../server.ts';
import { type ReplyEssence, replyEssence } from './essence.ts';
import { isCall, isErrorRecording, isQueued, recordedEvents } from './recorded-reply.ts';
import { corpusFolder, FOLDERS, type Recording, recordings } from './recordings.ts';
import { type Codec, codecOf, collected, decodeFrames, framesOf, SOURCE, unfolded } from './replay.ts';
import { isStreamed, otherForm, type ReplayUpstream, startReplay } from './sdk-upstream.ts';

/** Where an SDK is pointed at. */
export interface Address {
  readonly url: string;
  readonly key: string;
}

/** A recording that an SDK reads, in one of its forms. */
export interface Reading {
  readonly recording: Recording;
  readonly codec: Codec;
  /** What it says, or the fault that it is. */
  readonly meaning: ReplyEssence | Fault;
  readonly streamed: boolean;
}

/** An SDK, by the protocol that it speaks. */
export interface Reader {
  readonly name: string;
  readonly protocol: ProtocolId;
  /** What is wrong with what it makes of a model's answer. */
  problems(reading: Reading, model: string): Promise<readonly string[]>;
}

/** SDKs that read recordings. */
export interface Run {
  readonly name: string;
  readonly readersAt: (address: Address) => readonly Reader[];
  /** Recordings are read in the other form as well: streams whole, whole replies streamed. */
  readonly bothForms: boolean;
}

/** Text without the images that are shown in it, too, for chat clients that read text only; blank lines around them count for nothing. */
export const withoutImages = (text: string): string =>
  text
    .replaceAll(/!\[image\]\([^)]*\)/g, '')
    .replaceAll(/\s*\n\s*/g, '\n')
    .trim();

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
export function toldStatus(client: ProtocolId, { kind, status }: Fault): number {
  if (kind === 'authentication' || kind === 'permission' || kind === 'billing') return 502;
  if (kind === 'overloaded') return client === 'anthropic-messages' ? 529 : 503;
  if (kind === 'timeout' && status >= 500) return 504;
  return status >= 500 ? 502 : status;
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
  readonly bothForms: boolean;
  /** In front of the gateway, and right in front of the provider. */
  readonly readers: readonly { readonly reader: Reader; readonly direct: Reader }[];
}

const isRead = (recording: Recording): boolean =>
  isCall(recording) && !isQueued(recording) && known[recording.id] === undefined && (only === undefined || recording.id.includes(only));

/** The forms in which a recording is read; an error has one only. What the other form says is what its dialect can say there. */
function formsOf(recording: Recording, codec: Codec, bothForms: boolean): readonly Reading[] {
  const reading = { recording, codec, meaning: meaningOf(recording, codec), streamed: isStreamed(recording) };
  if ('kind' in reading.meaning || !bothForms) return [reading];
  const other = otherForm(recording, codec);
  const events = reading.streamed
    ? unfolded(codec.decodeReply(JSON.parse(other) as JsonObject, SOURCE))
    : decodeFrames(codec, framesOf(Buffer.from(other)));
  return [reading, { ...reading, streamed: !reading.streamed, meaning: replyEssence(collected(events)) }];
}

async function replay({ corpus, upstream, bothForms, readers }: Stage, folder: string, codec: Codec): Promise<Tally> {
  const tally: Tally = { total: 0, failed: 0, unreadable: 0 };
  await eachOf(recordings(corpus, folder), async (recording) => {
    if (!isRead(recording)) return;
    const model = `r${tally.total++}`;
    upstream.put(model, recording, codec);
    const failures: string[] = [];
    let isUnreadable = false;
    for (const reading of formsOf(recording, codec, bothForms)) {
      for (const { reader, direct } of readers) {
        const wrong = await reader.problems(reading, `${codec.id}/${model}`);
        const isOwn = reader.protocol === codec.id && wrong.length > 0;
        if (isOwn && (await direct.problems(reading, model)).length > 0) isUnreadable = true;
        else failures.push(...wrong.map((why) => `${reading.streamed ? 'stream' : 'whole'} → ${reader.name}: ${why}`));
      }
    }
    if (isUnreadable) tally.unreadable++;
    if (failures.length === 0) return;
    tally.failed++;
    for (const why of failures.slice(0, verbose ? 100 : 2)) console.log(`${recording.id}  ${why}`);
  });
  return tally;
}

/** Reads every recording with every SDK. The exit code. */
export async function readRecordings({ name, readersAt, bothForms }: Run): Promise<number> {
  const corpus = corpusFolder();
  if (corpus === undefined) {
    console.log(`${name}: skipped (no corpus folder; set PAILOU_CORPUS)`);
    return 0;
  }
  const upstream = await startReplay();
  const server = await startTestServer({ providers: providersAt(upstream.url) });
  const direct = readersAt({ url: upstream.url, key: 'x' });
  const readers = readersAt(server).map((reader, index) => ({ reader, direct: direct[index] ?? reader }));
  let [passed, failed] = [0, 0];
  for (const [folder, id] of FOLDERS) {
    const codec = codecOf(id);
    const tally = await replay({ corpus, upstream, bothForms, readers }, folder, codec);
    const good = tally.total - tally.failed;
    console.log(
      `${id}: ${good} of ${tally.total} recordings are read by every SDK as they are meant; ${tally.unreadable} not by their vendor's own, also without a gateway`,
    );
    failed += tally.failed;
    passed += good;
  }
  await server.close();
  await upstream.close();
  for (const defect of server.defects) console.log('defect:', defect);
  console.log(`${name}: ${passed} passed, ${failed + server.defects.length} failed`);
  return failed + server.defects.length > 0 ? 1 : 0;
}
