import { isObject, type Json, type JsonObject, type Usage } from '../../ir/index.ts';
import { DIALECT } from './dialect.ts';

const count = (value: Json | undefined): number | undefined => (typeof value === 'number' && value >= 0 ? value : undefined);

const given = (key: string, value: number | undefined): Record<string, number> => (value === undefined ? {} : { [key]: value });

const sum = (counts: readonly (number | undefined)[]): number | undefined => {
  const known = counts.filter((one) => one !== undefined);
  return known.length === 0 ? undefined : known.reduce((all, one) => all + one, 0);
};

/**
 * The report, and those on the summaries that the API has made of the conversation meanwhile: its totals leave them out, and they are paid
 * for. https://platform.claude.com/docs/en/build-with-claude/compaction
 */
function reportsOf(usage: JsonObject): readonly JsonObject[] {
  const { iterations } = usage;
  return Array.isArray(iterations) ? [usage, ...iterations.filter(isObject).filter(({ type }) => type === 'compaction')] : [usage];
}

/** Reads `usage`. This dialect counts cached input apart from `input_tokens`; the shared language counts all of it as input. */
export function decodeUsage(usage: JsonObject): Usage {
  const reports = reportsOf(usage);
  const countOf = (name: string, inside?: string): number | undefined =>
    sum(
      reports.map((report) => {
        const holder = inside === undefined ? report : report[inside];
        return isObject(holder) ? count(holder[name]) : undefined;
      }),
    );
  const cacheRead = countOf('cache_read_input_tokens');
  const cacheWrite = countOf('cache_creation_input_tokens');
  return {
    input: (countOf('input_tokens') ?? 0) + (cacheRead ?? 0) + (cacheWrite ?? 0),
    output: countOf('output_tokens') ?? 0,
    ...given('cacheRead', cacheRead),
    ...given('cacheWrite', cacheWrite),
    ...given('cacheWrite1h', countOf('ephemeral_1h_input_tokens', 'cache_creation')),
    ...given('reasoning', countOf('thinking_tokens', 'output_tokens_details')),
    native: { by: DIALECT, value: usage },
  };
}

/** The later report of a stream over the earlier: totals so far, so they replace; what the later leaves out or null stays. */
export function mergeUsage(earlier: JsonObject, later: JsonObject): JsonObject {
  const out: Record<string, Json | undefined> = { ...earlier };
  for (const key in later) if (later[key] !== null && later[key] !== undefined) out[key] = later[key];
  return out;
}

/** What the API's own specification always has. */
const ALWAYS: JsonObject = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: null,
  output_tokens: 0,
  output_tokens_details: null,
  server_tool_use: null,
  service_tier: null,
  inference_geo: null,
};

function cacheCreation(usage: Usage): JsonObject | null {
  if (usage.cacheWrite === undefined) return null;
  const hour = Math.min(usage.cacheWrite1h ?? 0, usage.cacheWrite);
  return { ephemeral_5m_input_tokens: usage.cacheWrite - hour, ephemeral_1h_input_tokens: hour };
}

/** Writes `usage`, with every member that the API's specification requires. One read off this dialect is given back. */
export function encodeUsage(usage: Usage | undefined): JsonObject {
  if (!usage) return ALWAYS;
  if (usage.native?.by === DIALECT) return { ...ALWAYS, ...usage.native.value };
  const cached = (usage.cacheRead ?? 0) + (usage.cacheWrite ?? 0);
  return {
    ...ALWAYS,
    input_tokens: Math.max(0, usage.input - cached),
    cache_creation_input_tokens: usage.cacheWrite ?? 0,
    cache_read_input_tokens: usage.cacheRead ?? 0,
    cache_creation: cacheCreation(usage),
    output_tokens: usage.output,
    ...(usage.reasoning === undefined ? {} : { output_tokens_details: { thinking_tokens: usage.reasoning } }),
  };
}
