import type { Said } from '../policy/models/model-facts.ts';
import { type Amounts, type Currency, parseAmount, type Price, type Priced } from '../policy/models/price.ts';
import type { ProviderSettings } from '../presets/preset.ts';
import type { FileConfig } from './file-shape.ts';

type FileProvider = NonNullable<FileConfig['providers']>[string];
type FileFacts = NonNullable<FileProvider['models']>[string];

/** A price as it is written, `{ input: '0.27 USD', … }`: whole nano-units. Its currency is that of its first amount; `checkPrices` tells where others differ. */
function priceOf(written: NonNullable<FileFacts['price']>): Price {
  const amounts: { [P in Priced]?: number } = {};
  let currency: Currency | undefined;
  for (const [of, text] of Object.entries(written)) {
    const read = parseAmount(text);
    if (!read) continue;
    amounts[of as Priced] = read.amount;
    currency ??= read.currency;
  }
  return { ...(amounts satisfies Amounts), currency: currency ?? 'USD' };
}

const factsOf = ({ price, ...facts }: FileFacts): Said => ({ ...facts, ...(price ? { price: priceOf(price) } : {}) });

function providerOf({ models, ...rest }: FileProvider): ProviderSettings {
  const settings = rest as ProviderSettings;
  if (!models) return settings;
  return { ...settings, models: Object.fromEntries(Object.entries(models).map(([glob, facts]) => [glob, factsOf(facts)])) };
}

/** Providers of what a file says, in its order. */
export const resolveProviders = (providers: FileConfig['providers']): Readonly<Record<string, ProviderSettings>> =>
  Object.fromEntries(Object.entries(providers ?? {}).map(([name, written]) => [name, providerOf(written)]));
