import type { IncomingHttpHeaders } from 'node:http';
import { hasControlCharacters } from './paths.ts';
import { badField, GatewayError, gatewayFault, kindOf, missingField } from '../../ir/index.ts';
import { parseBody } from '../../exchange/write-request.ts';
import { scanTopLevel, type ScanFailure, type Span, type TopLevel } from '../../wire/top-level-scan.ts';

/** Members of a body that are looked at without parsing it. */
const WANTED: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'stream_options',
  'n',
  'previous_response_id',
  'conversation',
  'store',
  'background',
  'thread',
  // Whether sound is wanted back.
  'modalities',
  'generationConfig',
  'generation_config',
  // What it says of where to go.
  'provider',
  'models',
]);

/** A body that was looked over. */
export interface ScannedBody {
  readonly body: Buffer;
  readonly scan: TopLevel;
}

function failure(why: ScanFailure): GatewayError | undefined {
  if (why === 'too-deep') {
    return new GatewayError(
      gatewayFault('bad_request', 'Invalid request: the JSON body is nested too deeply (limits.depth)', { code: 'body_too_deep' }),
    );
  }
  if (why === 'duplicate') {
    return new GatewayError(
      gatewayFault(
        'bad_request',
        "Invalid request: a member of the JSON body is there twice; 'model', 'stream' and the like must be there once",
        { code: 'duplicate_field' },
      ),
    );
  }
  return undefined;
}

/** Looks over a body. What the scanner does not follow is parsed, and printed anew where it is legal after all. Throws the 400. */
export function scanBody(received: Buffer, maxDepth: number, wanted: ReadonlySet<string> = WANTED): ScannedBody {
  // A byte order mark is no part of JSON: neither a parser nor an upstream would take it.
  const body = received[0] === 0xef && received[1] === 0xbb && received[2] === 0xbf ? received.subarray(3) : received;
  const scan = scanTopLevel(body, wanted, maxDepth);
  if (typeof scan !== 'string') return { body, scan };
  const refused = failure(scan);
  if (refused) throw refused;
  const parsed = parseBody(body);
  const printed = Buffer.from(JSON.stringify(parsed));
  const again = scanTopLevel(printed, wanted, maxDepth, false);
  if (typeof again !== 'string') return { body: printed, scan: again };
  throw (
    failure(again) ?? new GatewayError(gatewayFault('bad_request', 'Invalid request: the body is not valid JSON', { code: 'invalid_json' }))
  );
}

function valueAt({ body }: ScannedBody, span: Span, name: string): unknown {
  try {
    return JSON.parse(body.toString('utf8', span.from, span.to));
  } catch {
    throw badField(name, `Invalid request: '${name}' is not valid JSON`, 'invalid_json');
  }
}

/** A top-level member's value, `undefined` when absent or null. Small members only. */
function memberOf(scanned: ScannedBody, name: string): unknown {
  const span = scanned.scan.values.get(name);
  if (!span) return undefined;
  return valueAt(scanned, span, name) ?? undefined;
}

/** The model that a body names. */
export function modelOf(scanned: ScannedBody): string {
  const model = memberOf(scanned, 'model');
  if (model === undefined || model === '') throw missingField('model');
  if (typeof model !== 'string') throw badField('model', `Invalid request: 'model' must be a string, not ${kindOf(model)}`);
  return checkedModel(model);
}

const leavesPath = (model: string): boolean => model.split('/').some((segment) => segment === '..' || segment === '.');

/** A model id that can be sent on: no control characters, no half of a character, no way out of a path. */
export function checkedModel(model: string): string {
  if (model.length > 512 || !model.isWellFormed() || hasControlCharacters(model) || leavesPath(model)) {
    throw badField('model', "Invalid request: 'model' holds characters that no model id has");
  }
  return model;
}

/** A boolean member; `null` and absence are false. */
export function flagOf(scanned: ScannedBody, name: string): boolean {
  const value = memberOf(scanned, name);
  if (value === undefined) return false;
  if (typeof value !== 'boolean') throw badField(name, `Invalid request: '${name}' must be true or false, not ${kindOf(value)}`);
  return value;
}

/** Gemini's path names the model; a different one in the body is a mistake of the caller. */
export function checkNestedModel(scanned: ScannedBody, model: string): void {
  const nested = memberOf(scanned, 'model');
  if (typeof nested === 'string' && nested.replace(/^models\//, '') !== model) {
    throw badField('model', `Invalid request: the path names model '${model}', the body '${nested.slice(0, 200)}'`);
  }
}

/** Whether the caller asked to refuse what cannot be expressed. */
export const isStrict = (headers: IncomingHttpHeaders, keyStrict: boolean): boolean => {
  const word = headers['x-strict'];
  return keyStrict || word === '1' || word === 'true';
};

/** A client's own request id where it is well formed: printable, short. */
export function labelOf(headers: IncomingHttpHeaders): string | undefined {
  const id = headers['x-request-id'];
  return typeof id === 'string' && /^[\x21-\x7e]{1,128}$/.test(id) ? id : undefined;
}
