import {
  databaseVariables,
  httpVariables,
  processVariables,
  sealingVariables,
} from '../shared/common-config.ts';
import { variable, wholeNumber } from '../shared/config.ts';
import { policyVariables } from '../shared/policy-config.ts';

/** The configuration of the gate. */
export const gateVariables = {
  ...processVariables,
  ...httpVariables('GATE_PORT', 3100),
  ...databaseVariables,
  ...sealingVariables,
  ...policyVariables,
  GATE_READ_SECONDS: variable('seconds between two reads of the facts', wholeNumber(1, 30), {
    default: '5',
  }),
  GATE_STALE_SECONDS: variable(
    'answers are refused once the last complete read began longer ago than this many seconds',
    wholeNumber(1, 30),
    { default: '30' },
  ),
  GATE_ACTIVATIONS_PER_MINUTE: variable(
    'activations that one API key may ask for in a minute, over all gates together; as many refusals of the CA may be reported',
    wholeNumber(1, 1_000_000),
    { default: '600' },
  ),
};
