// Recorded streams that break at an event, through a real gateway, read by the official SDK of each protocol: it raises, what it was told
// until then is how the truth begins, and what was used is in the record.
import type { ProtocolId, ReplyEvent } from '../../src/ir/index.ts';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import type { SseFrame } from '../../src/wire/sse.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { type CutUpstream, cutModel, eventsIn, type Recorded, startCutUpstream, type Way, WAYS, wholeModel } from './cut-upstream.ts';
import { codecOf, decodeFrames, framesOf, PROTOCOLS, SOURCE } from './replay.ts';
import { type SdkClient, sdkClients } from './sdk-clients.ts';

/** What one client's SDK made of one broken stream. */
export interface Ending {
  readonly client: ProtocolId;
  readonly after: number;
  readonly way: Way;
  /** What is wrong with what the SDK did; absent: nothing. */
  readonly wrong?: string;
  /** What is missing in the record; absent: nothing. */
  readonly uncounted?: string;
}

/** Streams that break before a gateway. */
export interface EndingsStage {
  readonly server: TestServer;
  /** The events of a stream at which it can be cut. */
  placesOf(stream: Recorded): readonly number[];
  /** Cuts a stream at these places, in these ways, for the clients of these protocols. */
  cut(stream: Recorded, places: readonly number[], ways?: readonly Way[], clients?: readonly ProtocolId[]): AsyncIterable<Ending>;
  close(): Promise<void>;
}

/** A recorded stream by its events. */
export const recordedStream = (protocol: ProtocolId, text: string): Recorded => ({ protocol, events: eventsIn(text) });

const AT_ONCE = 16;

const providersAt = (url: string): Record<string, ProviderSettings> => {
  const at = { baseUrl: url, key: 'x', health: 'off' } as const;
  return {
    'openai-chat': { preset: 'openai-compatible', ...at, protocols: ['openai-chat'] },
    'openai-responses': { preset: 'openai-compatible', ...at, protocols: ['openai-responses'] },
    'anthropic-messages': { preset: 'anthropic-compatible', ...at },
    gemini: { preset: 'gemini-compatible', ...at },
  };
};

/** What a client was told, by kind: text, thoughts, arguments. */
type Said = ReadonlyMap<string, string>;

function saidIn(client: ProtocolId, frames: readonly SseFrame[]): Said {
  const codec = codecOf(client);
  const said = new Map<string, string>();
  let kind = '';
  for (const event of decodeFrames(codec, frames)) {
    if (event.type === 'part-start') kind = `${event.choice ?? 0} ${event.part.kind}`;
    else if (event.type === 'part-delta') said.set(kind, (said.get(kind) ?? '') + event.text);
  }
  return said;
}

/** Images that are kept have another address each time. */
const plain = (text: string): string => text.replaceAll(/\/media\/\w+\?exp=\d+&sig=[\w-]+/g, '/media/x');

const isPrefix = (said: Said, truth: Said): boolean =>
  [...said].every(([kind, text]) => plain(truth.get(kind) ?? '').startsWith(plain(text)));

/** Whether an upstream has said all after so many events, so that nothing is cut. */
function isOver({ protocol, events }: Recorded, count: number): boolean {
  const decoder = codecOf(protocol).streamDecoder(SOURCE);
  const ignored = (_event: ReplyEvent): void => {};
  for (const frame of framesOf(Buffer.from(events.slice(0, count).join('')))) decoder.frame(frame, ignored);
  return decoder.isDone();
}

interface Scene {
  readonly upstream: CutUpstream;
  readonly server: TestServer;
}

async function recordOf({ server }: Scene, model: string, protocol: ProtocolId): Promise<TestServer['records'][number] | undefined> {
  const find = (): TestServer['records'][number] | undefined =>
    server.records.findLast((record) => record.model === model && record.protocol === protocol);
  for (let tries = 0; tries < 200; tries++) {
    const found = find();
    if (found) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return find();
}

async function endingOf(
  scene: Scene,
  sdk: SdkClient,
  upstream: ProtocolId,
  model: string,
  truth: Said,
): Promise<Pick<Ending, 'wrong' | 'uncounted'>> {
  const frames: SseFrame[] = [];
  let raised: unknown;
  try {
    await sdk.read(`${upstream}/${model}`, true, (frame) => void frames.push(frame));
  } catch (error) {
    raised = error;
  }
  if (!(raised instanceof Error)) return { wrong: 'nothing was raised' };
  const said = saidIn(sdk.protocol, frames);
  if (!isPrefix(said, truth)) return { wrong: `told ${JSON.stringify([...said]).slice(0, 200)}` };
  if ([...said.values()].every((text) => text === '')) return {};
  const record = await recordOf(scene, model, sdk.protocol);
  if (record === undefined) return { uncounted: 'no record' };
  if (!record.output) return { uncounted: `no output in the record of ${record.fault ?? record.endedBy}` };
  return {};
}

async function* inTurn<T>(jobs: readonly (() => Promise<T>)[]): AsyncIterable<T> {
  for (let at = 0; at < jobs.length; at += AT_ONCE) yield* await Promise.all(jobs.slice(at, at + AT_ONCE).map((job) => job()));
}

/** Sets the stage. */
export async function setEndingsStage(): Promise<EndingsStage> {
  const upstream = await startCutUpstream();
  const server = await startTestServer({ providers: providersAt(upstream.url) });
  const scene: Scene = { upstream, server };
  const sdks = sdkClients(server);
  return {
    server,
    placesOf: (stream) => stream.events.map((_, at) => at).filter((at) => !isOver(stream, at)),
    async *cut(stream, places, ways = WAYS, clients = PROTOCOLS) {
      const name = upstream.put(stream);
      server.records.length = 0;
      for (const sdk of sdks.filter(({ protocol }) => clients.includes(protocol))) {
        const frames: SseFrame[] = [];
        // What an SDK cannot read of its own vendor's stream is true as far as it comes.
        await sdk.read(`${stream.protocol}/${wholeModel(name)}`, true, (frame) => void frames.push(frame)).catch(() => {});
        const truth = saidIn(sdk.protocol, frames);
        const jobs = places.flatMap((after) =>
          ways.map((way) => async (): Promise<Ending> => {
            const found = await endingOf(scene, sdk, stream.protocol, cutModel(name, after, way), truth);
            return { client: sdk.protocol, after, way, ...found };
          }),
        );
        yield* inTurn(jobs);
      }
    },
    async close() {
      await server.close();
      await upstream.close();
    },
  };
}
