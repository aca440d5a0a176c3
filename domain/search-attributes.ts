/** What the list of workflows in Temporal can be filtered by (DESIGN 5). Never an address or the name of a person. */
export const searchAttributeTypes = {
  AccountId: 'KEYWORD',
  CertificateId: 'KEYWORD',
  GrantStanding: 'KEYWORD',
  ExpiresAt: 'DATETIME',
  NextStepAt: 'DATETIME',
  UsagePercent: 'INT',
} as const;
