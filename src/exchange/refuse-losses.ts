import { GatewayError, gatewayFault, type Notes } from '../ir/index.ts';

/** `strict`: what would be lost is a refusal (400) that names it all. What is emulated is not lost. */
export function refuseLosses(call: { readonly strict: boolean }, notes: Notes): void {
  const losses = call.strict ? notes.list.filter((note) => note.what !== 'emulated') : [];
  const [first] = losses;
  if (!first) return;
  const all = losses.map((note) => `${note.field}: ${note.what} (${note.why})`).join('; ');
  throw new GatewayError(
    gatewayFault('bad_request', `The target cannot express the request as it was sent, and 'strict' was asked for: ${all.slice(0, 1000)}`, {
      param: first.field,
      code: 'not_expressible',
    }),
  );
}
