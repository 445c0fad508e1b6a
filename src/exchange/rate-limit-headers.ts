import type { ProtocolId } from '../ir/index.ts';

/*
 * What is left of a provider's limits, in the words of the client's own vendor.
 * https://platform.openai.com/docs/guides/rate-limits · https://platform.claude.com/docs/en/api/rate-limits
 */

const OPENAI = /^x-ratelimit-(limit|remaining|reset)-(requests|tokens)$/;
const ANTHROPIC = /^anthropic-ratelimit-(requests|tokens)-(limit|remaining|reset)$/;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `6m0s`, `20ms`, or bare seconds, as milliseconds. */
function durationMs(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/(?<!\d)(\d+(?:\.\d+)?)(ms|[smhd])/g)) sum += Number(count) * (UNIT_MS[unit ?? ''] ?? 0);
  return sum;
}

const timeAfter = (duration: string, now: number): string | undefined => {
  const ms = durationMs(duration);
  return ms === undefined ? undefined : new Date(Math.ceil((now + ms) / 1000) * 1000).toISOString().replace('.000Z', 'Z');
};

const durationUntil = (time: string, now: number): string | undefined => {
  const at = Date.parse(time);
  return Number.isNaN(at) ? undefined : `${Math.max(0, Math.ceil((at - now) / 1000))}s`;
};

/** One rate-limit header of an upstream as the client reads it; `undefined`: it cannot be said. Names that are not known pass as they are. */
export function rateLimitHeader(name: string, value: string, client: ProtocolId, now: number): readonly [string, string] | undefined {
  const isAnthropic = client === 'anthropic-messages';
  const [, field = '', kind = ''] = (isAnthropic ? OPENAI.exec(name) : null) ?? [];
  if (field !== '') {
    const said = field === 'reset' ? timeAfter(value, now) : value;
    return said === undefined ? undefined : [`anthropic-ratelimit-${kind}-${field}`, said];
  }
  const [, ofKind = '', ofField = ''] = (isAnthropic ? null : ANTHROPIC.exec(name)) ?? [];
  if (ofKind === '') return [name, value];
  const said = ofField === 'reset' ? durationUntil(value, now) : value;
  return said === undefined ? undefined : [`x-ratelimit-${ofField}-${ofKind}`, said];
}
