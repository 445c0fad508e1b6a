import { parseAmount } from '../policy/models/price.ts';
import type { Report } from './check-providers.ts';
import type { FileConfig } from './file-shape.ts';
import type { Words } from './language.ts';
import { memberPath } from './tree.ts';

/** Checks that each price is in one currency: amounts of two would be added up as if they were one. */
export function checkPrices(providers: NonNullable<FileConfig['providers']>, report: Report): void {
  for (const [name, { models }] of Object.entries(providers)) {
    for (const [glob, { price }] of Object.entries(models ?? {})) {
      const at = `${memberPath(memberPath(memberPath('providers', name), 'models'), glob)}.price`;
      const read = Object.entries(price ?? {}).map(([of, text]) => [of, parseAmount(text)?.currency] as const);
      const first = read.find(([, currency]) => currency !== undefined)?.[1];
      for (const [of, currency] of read) {
        if (currency === undefined || currency === first) continue;
        const what: Words = [`This price is in ${first} above and in ${currency} here`, `同一价格中既有 ${first} 又有 ${currency}`];
        const right: Words = [`all of a price in one currency: ${first}`, `同一价格使用同一货币：${first}`];
        report(`${at}.${of}`, { severity: 'error', code: 'two_currencies', what, right });
      }
    }
  }
}
