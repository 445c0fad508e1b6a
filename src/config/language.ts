/** Languages that people are spoken to in. API errors stay English. */
export type Language = 'en' | 'zh';

/** The same words in English and in Chinese. */
export type Words = readonly [en: string, zh: string];

/** One of the two. */
export const inLanguage = ([en, zh]: Words, language: Language): string => (language === 'zh' ? zh : en);

/** The language to speak: what was asked for, else `$PAILOU_LANG`, else the locale. Anything that is not Chinese is English. */
export function languageOf(asked: string | undefined, env: Readonly<Record<string, string | undefined>>): Language {
  const word = asked || env['PAILOU_LANG'] || env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || '';
  return /^zh/i.test(word) ? 'zh' : 'en';
}
