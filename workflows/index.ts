/** What the Temporal worker runs; the name of each export is the workflow's type. */
export { accessGrant } from './access-grant.ts';
