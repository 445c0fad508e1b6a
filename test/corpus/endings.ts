// Recorded streams that break at an event, through a real gateway, read by the official SDK of each protocol: it raises, what it was told
// until then is how the truth begins, and what was used is in the record.
import { roughTokens } from '../../src/exchange/rough-tokens.ts';
import { TOKEN_CLASSES } from '../../src/ir/index.ts';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { createNetworkSend } from '../../src/upstream/choose-send.ts';
import type { SseFrame } from '../../src/wire/sse.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { type CutReader, cutReaders, type Said } from './cut-readers.ts';
import { type CutUpstream, cutModel, startCutUpstream, type Way, WAYS, wholeModel } from './cut-upstream.ts';
import { CUT_WIRES, type Recorded } from './cut-wires.ts';

/** What one client's SDK made of one broken stream. */
export interface Ending {
  /** `CutReader.name` */
  readonly client: string;
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
  /** Cuts a stream at these places, in these ways, for all clients or one. */
  cut(stream: Recorded, places: readonly number[], ways?: readonly Way[], client?: string): AsyncIterable<Ending>;
  close(): Promise<void>;
}

const AT_ONCE = 16;

const providersAt = (url: string): Record<string, ProviderSettings> =>
  Object.fromEntries(
    Object.entries(CUT_WIRES).map(([name, { settings }]) => [
      name,
      { ...settings, baseUrl: url, key: 'x', health: 'off' } as ProviderSettings,
    ]),
  );

/** Images that are kept have another address each time. */
const plain = (text: string): string => text.replaceAll(/\/media\/\w+\?exp=\d+&sig=[\w-]+/g, '/media/x');

const isPrefix = (said: Said, truth: Said): boolean =>
  [...said].every(([kind, text]) => plain(truth.get(kind) ?? '').startsWith(plain(text)));

interface Scene {
  readonly upstream: CutUpstream;
  readonly server: TestServer;
}

async function recordOf({ server }: Scene, model: string, { protocol }: CutReader): Promise<TestServer['records'][number] | undefined> {
  const find = (): TestServer['records'][number] | undefined =>
    server.records.findLast((record) => record.model === model && record.protocol === protocol);
  for (let tries = 0; tries < 200; tries++) {
    const found = find();
    if (found) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return find();
}

/** Texts' tokens are counted roughly, of some pieces for all, and events hold more than what is told. */
const FAR = { below: 3, above: 4, less: 5, more: 50 };

/** Where a protocol has no other place for one: no words of the model. What has no spaces in it may be one as well. */
const PICTURE = /!\[[^\]]*\]\([^)]*\)/g;

/** What is missing in a record of a broken stream: what its upstream had reported, and roughly what was told. */
function miscount(record: TestServer['records'][number], { wire, events }: Recorded, after: number, said: Said): string | undefined {
  const { input = 0, output = 0 } = record;
  if (output === 0) return `no output in the record of ${record.fault ?? record.endedBy}`;
  const reported = CUT_WIRES[wire].usageIn(events.slice(0, after));
  if (reported && reported.input > 0 && reported.input !== input) return `${input} tokens of input, not ${reported.input}`;
  if (reported && reported.output > output) return `${output} tokens of output, not ${reported.output}`;
  const other = TOKEN_CLASSES.find((name) => reported?.[name] !== undefined && reported[name] !== record[name]);
  if (reported && other) return `${record[other] ?? 'no'} tokens of ${other}, not ${reported[other]}`;
  const texts = [...said.values()].map((text) => text.replaceAll(PICTURE, '')).filter((text) => text.length < 200 || text.includes(' '));
  const told = roughTokens(texts.join(''));
  const whole = CUT_WIRES[wire].usageIn(events)?.output ?? told;
  if (output < told / FAR.below - FAR.less) return `${output} tokens of output, where about ${Math.round(told)} were told`;
  if (output > FAR.above * Math.max(told, whole) + FAR.more) return `${output} tokens of output, where all of it has ${Math.round(whole)}`;
  return undefined;
}

async function endingOf(
  scene: Scene,
  reader: CutReader,
  stream: Recorded,
  model: string,
  truth: Said,
): Promise<Pick<Ending, 'wrong' | 'uncounted'>> {
  const frames: SseFrame[] = [];
  let raised: unknown;
  try {
    await reader.read(`${stream.wire}/${model}`, (frame) => void frames.push(frame));
  } catch (error) {
    raised = error;
  }
  if (!(raised instanceof Error)) return { wrong: 'nothing was raised' };
  const said = reader.said(frames);
  if (!isPrefix(said, truth)) return { wrong: `told ${JSON.stringify([...said]).slice(0, 200)}` };
  if ([...said.values()].every((text) => text === '')) return {};
  const record = await recordOf(scene, model, reader);
  const uncounted = record === undefined ? 'no record' : miscount(record, stream, Number(model.split('-')[1]), said);
  return uncounted === undefined ? {} : { uncounted };
}

async function* inTurn<T>(jobs: readonly (() => Promise<T>)[]): AsyncIterable<T> {
  for (let at = 0; at < jobs.length; at += AT_ONCE) yield* await Promise.all(jobs.slice(at, at + AT_ONCE).map((job) => job()));
}

/** Sets the stage. */
export async function setEndingsStage(): Promise<EndingsStage> {
  const upstream = await startCutUpstream();
  const network = createNetworkSend();
  const providers = providersAt(upstream.url);
  const server = await startTestServer({ providers }, undefined, undefined, { send: upstream.sendBy(network.send) });
  const scene: Scene = { upstream, server };
  const readersOf = cutReaders(server);
  return {
    server,
    placesOf: (stream) => stream.events.map((_, at) => at).filter((at) => !CUT_WIRES[stream.wire].isOver(stream.events.slice(0, at))),
    async *cut(stream, places, ways = WAYS, client) {
      const name = upstream.put(stream);
      server.records.length = 0;
      for (const reader of readersOf(stream.wire).filter((one) => client === undefined || one.name === client)) {
        const frames: SseFrame[] = [];
        // What an SDK cannot read of its own vendor's stream is true as far as it comes.
        await reader.read(`${stream.wire}/${wholeModel(name)}`, (frame) => void frames.push(frame)).catch(() => {});
        const truth = reader.said(frames);
        const jobs = places.flatMap((after) =>
          ways.map((way) => async (): Promise<Ending> => {
            const found = await endingOf(scene, reader, stream, cutModel(name, after, way), truth);
            return { client: reader.name, after, way, ...found };
          }),
        );
        yield* inTurn(jobs);
      }
    },
    async close() {
      await server.close();
      await network.close();
      await upstream.close();
    },
  };
}
