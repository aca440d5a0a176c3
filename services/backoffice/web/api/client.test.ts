import { expect, it } from '@jest/globals';
import { withQuery } from './client.ts';

it('leaves out of a query what is not asked for, and encodes the rest', () => {
  expect(withQuery('/api/certificates', { q: 'São & cª', standing: undefined, account: '' })).toBe(
    '/api/certificates?q=S%C3%A3o+%26+c%C2%AA',
  );
  expect(withQuery('/api/certificates', { cursor: undefined })).toBe('/api/certificates');
});
