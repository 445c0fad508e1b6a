import { type ChatRequest, GatewayError, gatewayFault, type ProtocolId } from '../ir/index.ts';
import { families } from './families.ts';
import { type Family, familyOf, type Feature, type Kind } from './family.ts';
import { type Channel, outline, type Outline, Uncountable } from './outline.ts';
import type { TextFacts } from './text-facts.ts';
import type { TextAnswer } from './text-job.ts';
import { createTextReader, type TextReader, type TextReaderLimits } from './text-reader.ts';

/** A count, or why there is none that would hold. */
export type Counted = { readonly tokens: number } | { readonly why: string };

/** Counts requests for models of known families, within 5 % low and 25 % high of what their makers count. */
export interface LocalTokenCounter {
  /** `on`: the protocol in which the model would be called. Throws `GatewayError` when too many counts are waiting. */
  count(request: ChatRequest, model: string, on: ProtocolId): Promise<Counted>;
  close(): Promise<void>;
}

/** More text than any model reads at once. */
const MAX_CHARS = 16 * 1024 * 1024;

/** Characters beyond ASCII for each token. */
const MAX_FOREIGN = 0.1;

const SAID: Record<Kind, string> = {
  tools: 'tools',
  serial: 'one tool call at a time',
  schemas: 'an output schema',
  documents: 'a document',
  thinking: 'thinking',
  thoughts: 'earlier thoughts',
  seals: 'sealed thoughts',
  scripts: 'text in other scripts than Latin',
};

function holds(kind: Kind, { shape, texts }: Outline): boolean {
  switch (kind) {
    case 'tools':
      return shape.hasTools > 0 || shape.calls > 0 || shape.results > 0;
    case 'serial':
      return shape.serial > 0;
    case 'schemas':
      return shape.schemas > 0;
    case 'documents':
      return shape.documents > 0;
    case 'thinking':
      return shape.thinking > 0;
    case 'thoughts':
      return texts.thought.length > 0;
    case 'seals':
      return shape.seals > 0;
    case 'scripts':
      return false;
  }
}

const unknown = (what: string): string => `how many tokens ${what} takes with this model has not been shown`;

/** What of a request cannot be counted for a family, as far as it shows before its text was read. */
function refusal(family: Family, parts: Outline, on: ProtocolId): string | undefined {
  const kind = [...family.refuses, ...(family.refusesOver?.[on] ?? [])].find((one) => holds(one, parts));
  if (kind !== undefined) return unknown(SAID[kind]);
  return parts.images.length > 0 && !family.image ? unknown('an image') : undefined;
}

/** Whether so much of the text is in other scripts that their unknown weight would move the sum out of its bounds. */
function isForeign(facts: TextAnswer<Channel>): boolean {
  let tokens = 0;
  let beyond = 0;
  for (const counted of Object.values<TextFacts>(facts)) {
    tokens += counted.tokens;
    beyond += counted.wide + counted.foreign;
  }
  return beyond > tokens * MAX_FOREIGN;
}

const weigh = (weights: Family['weights'], feature: Feature, amount: number): number => (weights[feature] ?? 0) * amount;

/** The tokens of a request, by its family's weights. */
function estimate({ weights, image }: Family, parts: Outline, facts: TextAnswer<Channel>): number {
  let sum = 0;
  for (const [name, amount] of Object.entries(parts.shape)) sum += weigh(weights, name as Feature, amount);
  for (const [channel, counted] of Object.entries(facts) as [Channel, TextFacts][]) {
    for (const [fact, amount] of Object.entries(counted) as [keyof TextFacts, number][])
      sum += weigh(weights, `${channel}.${fact}`, amount);
  }
  for (const one of parts.images) sum += image?.(one) ?? 0;
  return Math.max(1, Math.round(sum));
}

function sizeOf(texts: Outline['texts']): number {
  let sum = 0;
  for (const list of Object.values(texts)) for (const text of list) sum += text.length;
  return sum;
}

function outlined(request: ChatRequest, family: Family): Outline | string {
  try {
    return outline(request, family.tools);
  } catch (error) {
    if (error instanceof Uncountable) return error.message;
    throw error;
  }
}

async function countIn(family: Family, parts: Outline, on: ProtocolId, reader: TextReader): Promise<Counted> {
  const refused = refusal(family, parts, on);
  if (refused !== undefined) return { why: refused };
  if (sizeOf(parts.texts) > MAX_CHARS) return { why: `it holds more text than is counted here (${MAX_CHARS} characters)` };
  const facts = await reader.read({ encoding: family.encoding, texts: parts.texts });
  if (facts === 'busy')
    throw new GatewayError(gatewayFault('overloaded', 'Too many requests wait to be counted. Try again', { code: 'count_busy' }));
  if (facts === 'slow') return { why: 'its text takes too long to count' };
  if (facts === 'failed') return { why: 'its text could not be counted' };
  if (family.refuses.includes('scripts') && isForeign(facts)) return { why: unknown(SAID.scripts) };
  const tokens = estimate(family, parts, facts);
  return tokens < (family.least ?? 0) ? { why: 'it is so short that one token more or less matters' } : { tokens };
}

/** The gateway's own counter. Its thread starts with the first count. */
export function createLocalCounter(limits: Partial<TextReaderLimits> = {}): LocalTokenCounter {
  const reader = createTextReader(limits);
  return {
    async count(request, model, on) {
      const family = familyOf(families, model, on);
      if (!family) return { why: 'no local count has been shown to hold for this model' };
      const parts = outlined(request, family);
      return typeof parts === 'string' ? { why: parts } : countIn(family, parts, on, reader);
    },
    close: () => reader.close(),
  };
}
