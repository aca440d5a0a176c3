import { expect, it } from '@jest/globals';
import { nearestLanguage } from './languages.ts';

it.each([
  [['pt-BR', 'en'], 'pt-PT'],
  [['fr', 'en-US'], 'en'],
  [['en-GB', 'pt-PT'], 'en'],
  [['fr'], 'en'],
  [[], 'en'],
])('whoever asks for %j is spoken to in %s', (asked, language) => {
  expect(nearestLanguage(asked)).toBe(language);
});
