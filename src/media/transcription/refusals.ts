import { badField, type GatewayError } from '../../ir/index.ts';
import type { MediaTarget } from '../codec.ts';
import type { TranscriptFormat, TranscriptionRequest } from './shape.ts';

/** The 400 for a form of transcript that a provider cannot give, with those that it can. */
export function cannotGive(format: TranscriptFormat, formats: readonly TranscriptFormat[]): GatewayError {
  return badField(
    'response_format',
    `Invalid request: 'response_format' ${format} cannot be had of this model. It can be: ${formats.join(', ')}`,
    'unsupported_format',
  );
}

/** The 400 for times of single words where a provider has none. */
export function refuseWords({ granularities, format }: TranscriptionRequest): void {
  if (format !== 'verbose_json' || !granularities.includes('word')) return;
  throw badField('timestamp_granularities', "Invalid request: this model gives no times of single words ('timestamp_granularities')");
}

/** Fields that every codec reads itself. */
const READ: ReadonlySet<string> = new Set(['language', 'temperature', 'response_format', 'stream', 'timestamp_granularities']);

/** Notes the fields that do not reach the provider; gives those of `own`, as they came. */
export function ownFields(
  request: TranscriptionRequest,
  own: readonly string[],
  { notes }: MediaTarget,
): readonly (readonly [string, string])[] {
  const kept: (readonly [string, string])[] = [];
  for (const { name, sentAs, value } of request.fields) {
    if (own.includes(name)) kept.push([sentAs, value]);
    else if (!READ.has(name)) notes.add(name, 'dropped', 'the provider has no such setting for transcripts');
  }
  return kept;
}

/** Whether times are needed for what was asked. */
export const needsTimes = ({ format }: TranscriptionRequest): boolean => format !== 'json' && format !== 'text';
