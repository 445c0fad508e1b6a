import type { ClientCodec } from '../../../protocols/protocol.ts';
import type { Dialect, MediaOperation } from '../endpoints.ts';

/** Errors as Cohere's clients read them, a `message` of their own, beside the usual ones. https://docs.cohere.com/reference/errors */
const withMessage = (client: ClientCodec): ClientCodec => ({
  ...client,
  encodeFault(fault, id) {
    const { status, body } = client.encodeFault(fault, id);
    return { status, body: { id, message: fault.message, ...body } };
  },
});

/** Shapes whose clients read errors otherwise than their protocol has them. */
const OWN: { readonly [shape in MediaOperation['shape']]?: (client: ClientCodec) => ClientCodec } = { cohere: withMessage };

/** Made once: refusals are written before by who writes them. */
const made = new WeakMap<ClientCodec, ClientCodec>();

/** Who writes the errors of a dialect, that of a call that is refused unread too. `client`: its protocol's. */
export function envelopeFor({ shape }: Dialect, client: ClientCodec): ClientCodec {
  const own = shape && OWN[shape];
  if (!own) return client;
  const known = made.get(client) ?? own(client);
  made.set(client, known);
  return known;
}
