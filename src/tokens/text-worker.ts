// A thread of its own: byte-pair merging of a megabyte takes longer than the main loop may be held.
import { parentPort } from 'node:worker_threads';
import { addFacts, NO_FACTS, readText, type TextFacts } from './text-facts.ts';
import type { Encoding, TextAnswer, TextJob } from './text-job.ts';

type CountTokens = (piece: string) => number;

/** Special tokens in a text are text: a client that sends `<|endoftext|>` must not end anything. */
const AS_TEXT = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };

const loaders: Record<Encoding, () => Promise<CountTokens>> = {
  async o200k() {
    const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
    return (piece) => countTokens(piece, AS_TEXT);
  },
  async cl100k() {
    const { countTokens } = await import('gpt-tokenizer/encoding/cl100k_base');
    return (piece) => countTokens(piece, AS_TEXT);
  },
};

const loaded = new Map<Encoding, Promise<CountTokens>>();

function tokenizer(encoding: Encoding): Promise<CountTokens> {
  const known = loaded.get(encoding) ?? loaders[encoding]();
  loaded.set(encoding, known);
  return known;
}

async function answer({ encoding, texts }: TextJob): Promise<TextAnswer> {
  const countTokens = await tokenizer(encoding);
  const sum = (list: readonly string[]): TextFacts => list.reduce((so, text) => addFacts(so, readText(text, countTokens)), NO_FACTS);
  return Object.fromEntries(Object.entries(texts).map(([channel, list]) => [channel, sum(list)]));
}

parentPort?.on('message', (job: TextJob) => {
  void answer(job).then(
    (facts) => parentPort?.postMessage(facts, []),
    // The thread ends and is started again for the next job.
    (error: unknown) => {
      throw error;
    },
  );
});
