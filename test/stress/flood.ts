// Clients in a process of their own, which the server's own pauses do not hold up: `fork('flood.ts')`, one message a load, one answer.
import { Agent, type ClientRequest, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Dialect, DIALECTS } from '../exchange/dialects.ts';
import { saysFailed } from '../fakes/seen.ts';

/** One thing to ask for. */
export interface Ask {
  readonly path: string;
  readonly type: string;
  readonly body: Buffer | string;
  /** Whose words a refusal must be in; left out: nobody looks. */
  readonly dialect?: Dialect['id'];
  /** What ends a good answer; left out: that it is whole, and tells of no error. */
  readonly last?: string;
}

/** What is asked, how often, and for how long. */
export interface Load {
  readonly url: string;
  readonly key: string;
  /** One of them at a time, each as often as any other. */
  readonly asks: readonly Ask[];
  /** Calls a second, whether or not those before have ended; or so many at once, one after another; or a burst of so many. */
  readonly pace: { readonly rate: number } | { readonly width: number } | { readonly burst: number };
  readonly seconds: number;
  /** Of them, how many go by before anything counts; a fifth of them if left out. */
  readonly before?: number;
  /** A server that is asked at the same moments. */
  readonly control?: string;
}

/** How it went with one of the things that were asked for. */
export interface OfOne {
  /** Good answers a second. */
  readonly rate: number;
  readonly served: number;
  readonly refused: readonly number[];
  readonly control: readonly number[];
  readonly failed: number;
  readonly example?: string;
}

/** How it went. Times in milliseconds, of calls that began in the time that counts, or of all in a burst. */
export interface Flooded {
  /** Good answers a second: of each, the part that came in that time. Who ends just before or behind it would else count whole, or not. */
  readonly rate: number;
  readonly asked: number;
  readonly served: readonly number[];
  /** Of each, what was not the upstream's own time. */
  readonly beyond: readonly number[];
  /** Until the head of a refusal with `Retry-After` came. */
  readonly refused: readonly number[];
  /** The same of the control. */
  readonly control: readonly number[];
  /** Neither. */
  readonly failed: number;
  readonly example?: string;
  /** In the order of `asks`. */
  readonly each: readonly OfOne[];
}

const agent = new Agent({ keepAlive: true, maxFreeSockets: 4096 });

/** What is not answered so long after the end of a load has failed. */
const PATIENCE_MS = 20_000;
/** Of what came last, so many characters are looked at. */
const TAIL = 800;
/** So often some of those come who come so many a second … */
const TICK_MS = 2;
/**
 * … after a pause of this process so many times as fast, until none is missing: all that are due at once, some hundred, would be a burst,
 * which many clients are not, since they do not pause together. Bursts are measured for themselves.
 */
const CATCHING_UP = 3;
const underWay = new Set<ClientRequest>();

interface Outcome {
  /** Which was asked for. */
  readonly which: number;
  readonly kind: 'served' | 'refused' | 'failed';
  readonly ms: number;
  readonly beyond?: number;
  /** Of its answer, the part that came in the time that counts. */
  readonly part?: number;
  readonly why?: string;
}

/** The time that counts, in monotonic milliseconds. */
interface Counted {
  readonly from: number;
  readonly until: number;
}

/** Why a refusal is not in its protocol's words; `undefined`: it is. */
function misworded({ dialect: id }: Ask, status: number, text: string): string | undefined {
  if (id === undefined) return undefined;
  try {
    DIALECTS.find((one) => one.id === id)?.envelope(JSON.parse(text), status);
    return undefined;
  } catch (error) {
    return `no envelope of ${id}: ${String(error)}`;
  }
}

const isGood = ({ last }: Ask, tail: string, isWhole: boolean): boolean =>
  last === undefined ? isWhole && tail !== '' && !saysFailed(tail) : tail.includes(last);

function ask({ key, asks }: Load, which: number, url: string, { from, until }: Counted): Promise<Omit<Outcome, 'which'>> {
  const one = asks[which] as Ask;
  return new Promise((resolve) => {
    const began = performance.now();
    const { path, type, body } = one;
    const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body), authorization: `Bearer ${key}` };
    const sent = httpRequest(url + path, { method: 'POST', headers, agent }, (response) => {
      const headAfter = performance.now() - began;
      let tail = '';
      let [all, counted] = [0, 0];
      response.on('data', (bytes: Buffer) => {
        const now = performance.now();
        all += bytes.length;
        if (now >= from && now <= until) counted += bytes.length;
        tail = (bytes.length >= TAIL ? '' : tail.slice(-TAIL)) + bytes.toString('latin1', Math.max(0, bytes.length - TAIL));
      });
      response.on('error', () => {});
      response.on('close', () => {
        const { statusCode = 0 } = response;
        const took = performance.now() - began;
        if (statusCode === 200 && isGood(one, tail, response.complete))
          return resolve({ kind: 'served', ms: took, beyond: took - Number(/@([\d.]+)@/.exec(tail)?.[1]), part: counted / all });
        const isRefusal = (statusCode === 503 || statusCode === 529) && response.headers['retry-after'] !== undefined;
        const why = isRefusal ? misworded(one, statusCode, tail) : `${statusCode} ${tail}`;
        resolve(why === undefined ? { kind: 'refused', ms: headAfter } : { kind: 'failed', ms: headAfter, why });
      });
    });
    underWay.add(sent);
    sent.on('close', () => underWay.delete(sent));
    sent.on('error', (error) => resolve({ kind: 'failed', ms: 0, why: error.message }));
    sent.end(body);
  });
}

/** Gives which is next: an order of chance, in which each has come once before any comes again. https://en.wikipedia.org/wiki/Fisher–Yates_shuffle */
function turnsOf(many: number): () => number {
  let left: number[] = [];
  return () => {
    if (left.length === 0) left = Array.from({ length: many }, (_, at) => at);
    const at = Math.floor(Math.random() * left.length);
    const taken = left[at] as number;
    left[at] = left.at(-1) as number;
    left.pop();
    return taken;
  };
}

/** What came of those that count, of each that was asked for. */
function eachOf(load: Load, outcomes: readonly Outcome[], control: readonly Outcome[], rates: readonly number[]): OfOne[] {
  return load.asks.map((_, which) => {
    const mine = outcomes.filter((one) => one.which === which);
    const why = mine.find(({ kind }) => kind === 'failed')?.why;
    return {
      rate: rates[which] ?? 0,
      served: mine.filter(({ kind }) => kind === 'served').length,
      refused: mine.filter(({ kind }) => kind === 'refused').map(({ ms }) => ms),
      control: control.filter((one) => one.which === which).map(({ ms }) => ms),
      failed: mine.filter(({ kind }) => kind === 'failed').length,
      ...(why === undefined ? {} : { example: why }),
    };
  });
}

type AskOne = () => Promise<Outcome['kind']>;

/** So many clients ask again whenever they were answered, until then (monotonic milliseconds). */
async function keepBusy(width: number, until: number, one: AskOne): Promise<void> {
  const worker = async (): Promise<void> => {
    // Who is refused comes back a little later, as clients do.
    while (performance.now() < until) if ((await one()) === 'refused') await sleep(100);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** Asks so often a second until then, however the answers come; those that do not come are not waited for. */
async function askAtRate(rate: number, until: number, one: AskOne): Promise<void> {
  const began = performance.now();
  const running: Promise<unknown>[] = [];
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const now = performance.now();
      const due = ((Math.min(now, until) - began) * rate) / 1000;
      const most = running.length + Math.ceil((CATCHING_UP * TICK_MS * rate) / 1000);
      while (running.length < Math.min(due, most)) running.push(one());
      if (now < until) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  const late = setTimeout(() => {
    for (const one of underWay) one.destroy(new Error('not answered'));
  }, PATIENCE_MS);
  await Promise.all(running);
  clearTimeout(late);
}

async function flood(load: Load): Promise<Flooded> {
  const began = performance.now();
  const before = 'burst' in load.pace ? 0 : (load.before ?? load.seconds / 5);
  const from = began + before * 1000;
  const until = began + load.seconds * 1000;
  const outcomes: Outcome[] = [];
  const control: Outcome[] = [];
  const served = load.asks.map(() => 0);
  const turn = turnsOf(load.asks.length);
  // Who does nothing but refuse says nothing.
  const mute = { ...load, asks: load.asks.map(({ dialect: _dialect, ...one }) => one) };
  let asked = 0;
  const one = async (): Promise<Outcome['kind']> => {
    const startedAt = performance.now();
    asked++;
    const which = turn();
    if (load.control !== undefined)
      void ask(mute, which, load.control, { from, until }).then((of) => void (startedAt >= from && control.push({ ...of, which })));
    const outcome = await ask(load, which, load.url, { from, until });
    if (startedAt >= from) outcomes.push({ ...outcome, which });
    served[which] = (served[which] ?? 0) + (outcome.part ?? 0);
    return outcome.kind;
  };
  const { pace } = load;
  if ('width' in pace) await keepBusy(pace.width, until, one);
  else if ('burst' in pace) await Promise.all(Array.from({ length: pace.burst }, one));
  else await askAtRate(pace.rate, until, one);
  const of = (kind: Outcome['kind']): number[] => outcomes.filter((one) => one.kind === kind).map(({ ms }) => ms);
  const why = outcomes.find(({ kind }) => kind === 'failed')?.why;
  // A burst has no time that counts.
  const rates = served.map((parts) => parts / (load.seconds - before));
  return {
    rate: rates.reduce((sum, rate) => sum + rate, 0),
    asked,
    served: of('served'),
    beyond: outcomes.flatMap(({ beyond }) => beyond ?? []),
    refused: of('refused'),
    control: control.map(({ ms }) => ms),
    failed: of('failed').length,
    ...(why === undefined ? {} : { example: why }),
    each: eachOf(load, outcomes, control, rates),
  };
}

process.on('message', (load: Load) => void flood(load).then((flooded) => process.send?.(flooded)));
