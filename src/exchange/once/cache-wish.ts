import type { IncomingHttpHeaders } from 'node:http';
import type { ChatRequest, HostedTool, Stop } from '../../ir/index.ts';
import type { Call } from '../call.ts';

/** What a client says of kept answers. */
export interface CacheWish {
  /** It takes one. */
  readonly reads: boolean;
  /** Its own answer may be kept. */
  readonly keeps: boolean;
  /** One that is older is none. Milliseconds. */
  readonly maxAgeMs: number;
}

const ANYTHING: CacheWish = { reads: true, keeps: true, maxAgeMs: Infinity };

/** `Cache-Control` of a request. https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1 */
export function cacheWish(headers: IncomingHttpHeaders): CacheWish {
  const text = headers['cache-control'];
  if (text === undefined) return ANYTHING;
  const directives = text
    .toLowerCase()
    .split(',')
    .map((one) => one.trim());
  const [, seconds] = directives.map((one) => /^max-age="?(\d+)"?$/.exec(one)).find((found) => found !== null) ?? [];
  const keeps = !directives.includes('no-store');
  return {
    reads: keeps && !directives.includes('no-cache'),
    keeps,
    maxAgeMs: seconds === undefined ? Infinity : Number(seconds) * 1000,
  };
}

/** Members of a body that name state which is kept between calls. */
const STATE = ['previous_response_id', 'conversation', 'background', 'thread'];

/** Tools at the provider that do more than find something. */
const ACTING: ReadonlySet<HostedTool> = new Set(['mcp', 'code-execution', 'computer', 'shell', 'other']);

const isSaid = ({ body, scan }: Pick<Call, 'body' | 'scan'>, name: string): boolean => {
  const span = scan.values.get(name);
  if (!span) return false;
  const text = body.toString('latin1', span.from, Math.min(span.to, span.from + 8));
  return text !== 'null' && text !== 'false';
};

/** A call that is one of its kind: it goes on from state that is kept, or has the provider do something. */
export const standsAlone = (call: Pick<Call, 'body' | 'scan'>, { tools }: Pick<ChatRequest, 'tools'>): boolean =>
  STATE.some((name) => isSaid(call, name)) || tools.some((tool) => tool.kind === 'hosted' && ACTING.has(tool.tool));

/** Ends after which a reply is what the same question would get again. */
const WHOLE: ReadonlySet<Stop['reason']> = new Set(['stop', 'length', 'tool-calls', 'stop-sequence']);

/** Whether a reply that ended so may be given again. */
export const endsWell = (stops: readonly Stop[]): boolean => stops.every(({ reason }) => WHOLE.has(reason));
