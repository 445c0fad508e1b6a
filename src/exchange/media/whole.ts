import { GatewayError, gatewayFault } from '../../ir/index.ts';
import type { MediaContext } from './media-exchange.ts';

/** The codec that a preset names for the target. */
export function codecOf<Codec>(codecs: ReadonlyMap<string, Codec>, { media }: Pick<MediaContext, 'media'>): Codec {
  const codec = codecs.get(media.wire.codec);
  if (!codec) throw new Error(`no ${media.ability} codec '${media.wire.codec}'`);
  return codec;
}

/** Reads an upstream's answer: what cannot be read is the upstream's fault. */
export function understood<T>({ provider }: Pick<MediaContext, 'provider'>, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw new GatewayError(
      gatewayFault('upstream', `Provider '${provider.name}' answered with something that cannot be read`, { code: 'upstream_malformed' }),
    );
  }
}
