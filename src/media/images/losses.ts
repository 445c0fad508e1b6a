import { GatewayError, gatewayFault, type JsonObject, type Notes } from '../../ir/index.ts';
import type { MediaTarget } from '../codec.ts';
import type { ImageFieldNames, ImageRequest } from './shape.ts';

type Field = Exclude<keyof ImageFieldNames, 'size' | 'mask' | 'n'>;

/** Values that ask for what happens anyway. */
const USUAL: ReadonlySet<unknown> = new Set([undefined, 'auto', 'standard']);

/** Notes fields that the target has no place for. */
export function lose(request: ImageRequest, notes: Notes, ...fields: readonly Field[]): void {
  for (const field of fields) {
    if (!USUAL.has(request[field])) notes.add(request.names[field], 'dropped', 'the target has no such setting');
  }
}

/** Notes a format that the target does not write: it answers in its own. */
export function loseFormat(request: ImageRequest, notes: Notes, its = 'png'): void {
  const { outputFormat, names } = request;
  if (outputFormat !== undefined && outputFormat !== its) notes.add(names.outputFormat, 'approximated', `the target writes its own format`);
  lose(request, notes, 'compression');
}

/** Notes fields of other dialects. */
export function loseRest({ rest }: ImageRequest, notes: Notes): void {
  for (const field of Object.keys(rest)) notes.add(field.slice(0, 100), 'dropped', 'the target has no such setting');
}

/** A mask changes what comes out: without a place for it the request is refused. */
export function refuseMask({ mask }: ImageRequest): void {
  if (!mask) return;
  throw new GatewayError(
    gatewayFault('bad_request', `Invalid request: this model takes no mask; leave '${mask.at}' out and say in the prompt what to change`, {
      param: mask.at,
      code: 'unsupported_parameter',
    }),
  );
}

/** Refuses images beyond what the target takes. */
export function limitImages({ images }: ImageRequest, most: number): void {
  const surplus = images[most];
  if (!surplus) return;
  const what = most === 0 ? 'no images' : `at most ${most} image${most === 1 ? '' : 's'}`;
  throw new GatewayError(
    gatewayFault('bad_request', `Invalid request: this model takes ${what}`, { param: surplus.at, code: 'too_many_images' }),
  );
}

/** The words of a refusal by the provider's safety system, whatever the vendor. */
export const refusedByFilter = (why: string): GatewayError =>
  new GatewayError({
    kind: 'bad_request',
    status: 400,
    message: `The provider made no image: ${why}`.slice(0, 1000),
    code: 'content_policy_violation',
    by: 'upstream',
  });

/** A job that the provider gave up. */
export const failedJob = (why: string): GatewayError =>
  new GatewayError({
    kind: 'upstream',
    status: 502,
    message: `The provider's job failed: ${why}`.slice(0, 1000),
    code: 'job_failed',
    by: 'upstream',
  });

/** An image as a data URI. */
export const dataUri = ({ data, mediaType }: { readonly data: Buffer; readonly mediaType: string }): string =>
  `data:${mediaType};base64,${data.toString('base64')}`;

/** A boolean or text option of a preset. */
export const optionOf = ({ options }: Pick<MediaTarget, 'options'>, name: string): string | undefined => {
  const value = options[name];
  return value === undefined ? undefined : String(value);
};

/** Members that are there. */
export function present(members: Readonly<Record<string, JsonObject[string]>>): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
