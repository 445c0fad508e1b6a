import { LRUCache } from 'lru-cache';
import type { ProtocolId, ReplyEvent } from '../../ir/index.ts';

/** The words in which an answer was given, for who asks in just the same words. */
export interface SaidAnswer {
  /** What these words answer: protocol, form and body of the request, as a hash. */
  readonly to: string;
  readonly status: number;
  /** Headers that say something of the answer, and nothing of the call. */
  readonly headers: Readonly<Record<string, string>>;
  /** Without bounds between chunks: a stream's as well. */
  readonly body: Buffer;
  readonly isStream: boolean;
}

/** An answer that is given again. Plain data: it may be handed from process to process. */
export interface KeptAnswer {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly provider: string;
  readonly model: string;
  /** What the provider was asked in; absent where that is not chat. */
  readonly upstream?: ProtocolId;
  /** What of the question was lost, as `x-pailou-notes` says it. */
  readonly notes?: string;
  readonly said?: SaidAnswer;
  /** The same in the shared language, with its end: for who asks in another form. */
  readonly events?: readonly ReplyEvent[];
  /** What all of it takes in memory, about. */
  readonly bytes: number;
}

/**
 * Where answers are kept, by the whole hash of what was asked. What cannot be read is not there, what cannot be kept is lost:
 * neither rejects.
 */
export interface AnswerStore {
  get(key: string): Promise<KeptAnswer | undefined>;
  put(key: string, answer: KeptAnswer, ttlMs: number): void;
}

/** The largest answer that is kept: images of a chat model among them. */
export const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
/** A key, and what the table itself takes: it bounds their number as well. */
const OVERHEAD_BYTES = 512;

/** An answer with the time that it may still be given, in milliseconds. */
interface Found {
  readonly answer: KeptAnswer;
  readonly leftMs: number;
}

/** Other processes with answers of their own: of each topic one can ask, and each can answer. */
interface Neighbours {
  readonly count: number;
  /** What the first of the others answers that can; `undefined`: none. */
  ask(topic: string, body: unknown): Promise<unknown>;
  answer(topic: string, answer: (body: unknown) => unknown): void;
}

/** Answers in this process' memory; those that were not asked for the longest go first. `limit`: bytes, in force now. */
function createMemory(now: () => number, limit: () => number) {
  let table: LRUCache<string, { readonly answer: KeptAnswer; readonly until: number }> | undefined;
  let maxSize = 0;
  return {
    find(key: string): Found | undefined {
      const found = table?.get(key);
      if (!found) return undefined;
      const leftMs = found.until - now();
      if (leftMs > 0) return { answer: found.answer, leftMs };
      table?.delete(key);
      return undefined;
    },
    put(key: string, answer: KeptAnswer, ttlMs: number): void {
      const size = answer.bytes + OVERHEAD_BYTES;
      if (!table || maxSize !== limit()) {
        maxSize = limit();
        // Another bound: what is kept is given up, which happens with a reload only.
        table = new LRUCache({ maxSize });
      }
      if (size <= maxSize) table.set(key, { answer, until: now() + ttlMs }, { size });
    },
  };
}

const TOPIC = 'kept answer';
/** How long other processes are asked. */
const ELSEWHERE_MS = 250;

/**
 * Answers in memory: at most `limit` bytes, in force now, all processes together. What this one does not have it asks the others for.
 */
export function createAnswerMemory(now: () => number, limit: () => number, others?: Neighbours): AnswerStore {
  const own = createMemory(now, () => Math.floor(limit() / (others?.count ?? 1)));
  others?.answer(TOPIC, (key) => own.find(String(key)));
  const elsewhere = async (key: string, { ask }: Neighbours): Promise<Found | undefined> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, ELSEWHERE_MS, undefined);
    });
    try {
      return (await Promise.race([ask(TOPIC, key), late])) as Found | undefined;
    } catch {
      // Whatever is wrong there, the question can be asked of a provider.
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    async get(key) {
      const here = own.find(key);
      if (here || !others) return here?.answer;
      const there = await elsewhere(key, others);
      if (there) own.put(key, there.answer, there.leftMs);
      return there?.answer;
    },
    put: own.put,
  };
}
