/**
 * On every answer of every service, before anything else is known of the request, so that none that follows a secret can lack them: kept nowhere, its address
 * told to nobody, read as nothing but what it says it is, in no frame. What may be looser (pages, files with a hash for a name) says so itself.
 */
export const answerHeaders = (
  referenceId: string,
  strictTransportSecurity: string | undefined,
) => ({
  'X-Request-Id': referenceId,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store',
  ...(strictTransportSecurity && { 'Strict-Transport-Security': strictTransportSecurity }),
});
