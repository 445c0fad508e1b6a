// Counts every recorded request locally and compares with what its provider counted. Run by `npm test`, or alone:
// `node test/corpus/count.ts [--all]`. A family whose worst count is more than 5 % low or 25 % high fails.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChatRequest, GatewayError, type JsonObject, type ProtocolId } from '../../src/ir/index.ts';
import { clientCodecs } from '../../src/protocols/index.ts';
import { families } from '../../src/tokens/families.ts';
import { familyOf, plainName } from '../../src/tokens/family.ts';
import { createLocalCounter } from '../../src/tokens/local-counter.ts';
import { answeredBy, recordedInput } from './recorded-input.ts';
import { corpusFolder, FOLDERS, type Recording, recordings, requestBody } from './recordings.ts';

const LOW = -0.05;
const HIGH = 0.25;
/** Of the counts that are compared so many may be missed, each with its reason. */
const MOST_MISSED = 0.01;

interface Outcome {
  readonly id: string;
  readonly recorded: number;
  readonly counted: number;
  /** Relative to what was recorded: −0.05 is 5 % low. */
  readonly error: number;
}

/** `notCounts`: what was recorded is no count of a model, there is nothing to compare with. `missed`: a count that a local one does not reach. */
const leftOut = JSON.parse(readFileSync(join(import.meta.dirname, 'count-left-out.json'), 'utf8')) as {
  readonly [why in 'notCounts' | 'missed']: Readonly<Record<string, string>>;
};
const verbose = process.argv.includes('--all');

/** The request as a call of the recorded protocol would be read; a counting request lacks what only a call must have. */
function decoded(recording: Recording, protocol: ProtocolId, body: JsonObject): ChatRequest | undefined {
  const codec = clientCodecs.get(protocol);
  const inner = body['generateContentRequest'];
  const whole = typeof inner === 'object' && inner !== null ? { ...(inner as JsonObject), model: body['model'] } : body;
  try {
    return codec?.decodeRequest({ max_tokens: 1, model: recording.model ?? 'unknown', ...whole } as JsonObject);
  } catch (error) {
    // What cannot be read is reported by the corpus's own check.
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

/** The line of models that a name belongs to. */
const lineOf = (model: string): string | undefined => /claude|gpt|gemini|^o\d/.exec(plainName(model))?.[0];

const percent = (part: number): string => `${part >= 0 ? '+' : '−'}${Math.abs(part * 100).toFixed(1)} %`;

function report(name: string, outcomes: readonly Outcome[]): number {
  const errors = outcomes.map(({ error }) => error).toSorted((a, b) => a - b);
  const at = (part: number): string => percent(errors[Math.floor((errors.length - 1) * part)] ?? 0);
  const bad = outcomes.filter(({ error }) => error < LOW - 1e-9 || error > HIGH + 1e-9);
  console.log(
    `  ${name.padEnd(20)} n ${String(outcomes.length).padStart(4)}  low ${at(0)}  median ${at(0.5)}  high ${at(1)}${bad.length > 0 ? '  FAILED' : ''}`,
  );
  for (const { id, recorded, counted, error } of verbose ? bad : bad.slice(0, 5))
    console.log(`    ${id}: recorded ${recorded}, counted ${counted} (${percent(error)})`);
  return bad.length;
}

async function main(): Promise<number> {
  const corpus = corpusFolder();
  if (!corpus) {
    console.log('counts: skipped (no corpus folder; set PAILOU_CORPUS)');
    return 0;
  }
  const counter = createLocalCounter();
  const byFamily = new Map<string, Outcome[]>(families.map(({ name }) => [name, []]));
  const whys = new Map<string, number>();
  const note = (why: string): void => void whys.set(why, (whys.get(why) ?? 0) + 1);
  let missed = 0;
  let total = 0;
  for (const [folder, protocol] of FOLDERS) {
    for (const recording of recordings(corpus, folder)) {
      const recorded = recordedInput(recording);
      const body = recording.response.status === 200 ? requestBody(recording) : undefined;
      if (recorded === undefined || !body) continue;
      const request = decoded(recording, protocol, body);
      if (!request) continue;
      const family = familyOf(families, request.model, protocol);
      const answerer = answeredBy(recording);
      // A router that fell back to another model counted with that one's tokenizer.
      if (family && answerer !== undefined && lineOf(answerer) !== lineOf(request.model)) {
        note('answered by another model');
        continue;
      }
      const answer = await counter.count(request, request.model, protocol);
      if ('why' in answer) {
        note(answer.why.replaceAll(/'[^']*'/g, '…'));
        continue;
      }
      if (leftOut.notCounts[recording.id] !== undefined) {
        note('no count of a model was recorded');
        continue;
      }
      total++;
      if (leftOut.missed[recording.id] !== undefined) {
        missed++;
        continue;
      }
      const error = answer.tokens / recorded - 1;
      byFamily
        .get(familyOf(families, request.model, protocol)?.name ?? '')
        ?.push({ id: recording.id, recorded, counted: answer.tokens, error });
    }
  }
  await counter.close();
  console.log('local counts beside recorded ones:');
  let bad = 0;
  for (const [name, outcomes] of byFamily) bad += report(name, outcomes);
  const tooMany = missed > total * MOST_MISSED;
  console.log(`  not compared: ${[...whys.values()].reduce((sum, n) => sum + n, 0)}`);
  if (verbose) for (const [why, n] of [...whys].toSorted((a, b) => b[1] - a[1])) console.log(`    ${n} × ${why}`);
  console.log(
    `counts: ${total - missed - bad} passed, ${bad + (tooMany ? 1 : 0)} failed, ${missed} skipped${tooMany ? ' (more than 1 % missed)' : ''}`,
  );
  return bad > 0 || tooMany ? 1 : 0;
}

process.exitCode = await main();
