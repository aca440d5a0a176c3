const id = encodeURIComponent;

/** In the order of their tabs. */
export const parts = ['settings', 'operators', 'api-keys'] as const;
export type Part = (typeof parts)[number];

/** Of the screen. */
export const partPath = (accountId: string, part: Part): string =>
  `/accounts/${id(accountId)}${part === 'settings' ? '' : `/${part}`}`;

/** Of the API. */
export const accountPath = (accountId: string): string => `/api/accounts/${id(accountId)}`;
export const operatorPath = (accountId: string, operatorId: string): string =>
  `${accountPath(accountId)}/operators/${id(operatorId)}`;
export const apiKeyPath = (accountId: string, apiKeyId: string): string =>
  `${accountPath(accountId)}/api-keys/${id(apiKeyId)}`;
