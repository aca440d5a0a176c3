import { expect } from '@jest/globals';
import { buildRequest, type Operation, type Place, type Request } from '../support/api-document.ts';
import { neverExisted, type StoredValue } from './values.ts';

/** What can be compared of an answer: everything but what is another at each request. */
type SeenAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};
export type Ask = (method: string, path: string, body: object | undefined) => Promise<Response>;

/** Whose things stand in the places of a request. */
export type Answers = {
  /** What stands in a place of a path or of a body when it is the caller's own; throws where nobody has said so yet. */
  mine(operation: Operation, place: Place): string | undefined;
  /** The things of others that belong there; none where the place is no id. */
  theirs(operation: Operation, place: Place): readonly string[];
  /** Things of others that are tried in every place, whether they belong there or not. */
  readonly odd: readonly StoredValue[];
  /** What else the body has to hold, new for each request where it can be used once. */
  body(operation: Operation): Record<string, unknown>;
  /** A text that is only stored or shown: nothing is looked up by it. */
  isOnlyText(operation: Operation, place: Place): boolean;
};

type Attempt = { readonly values: Record<string, string>; readonly foreign: readonly string[] };

/** Every request of an operation with something of others in it: each place by itself, and all ids of a path at once. */
function attemptsAt(operation: Operation, answers: Answers): Attempt[] {
  const { places } = operation;
  const own: Record<string, string> = {};
  for (const place of places) {
    const value = answers.mine(operation, place);
    if (value !== undefined) own[place.name] = value;
  }
  const alone = places
    .filter((place) => !answers.isOnlyText(operation, place))
    .flatMap((place) =>
      [...new Set([...answers.theirs(operation, place), ...answers.odd.map(({ value }) => value)])]
        .filter((value) => value !== own[place.name])
        .map((value) => ({ values: { ...own, [place.name]: value }, foreign: [place.name] })),
    );
  const ids = places.filter((place) => answers.theirs(operation, place).length > 0);
  const together =
    ids.length < 2
      ? []
      : [
          {
            values: {
              ...own,
              ...Object.fromEntries(
                ids.map((place) => [place.name, answers.theirs(operation, place)[0] ?? '']),
              ),
            },
            foreign: ids.map(({ name }) => name),
          },
        ];
  return [...alone, ...together];
}

export type Finding = {
  readonly request: string;
  readonly answered: SeenAnswer | string;
  readonly toWhatNeverWas?: SeenAnswer;
};

/**
 * Asks with what is another's, and with what never was, and answers where that differs, or where an answer holds something of others that was not in the
 * request itself.
 */
export async function findLeaks(
  ask: Ask,
  operation: Operation,
  answers: Answers,
  others: readonly StoredValue[],
): Promise<Finding[]> {
  const leaks: Finding[] = [];
  const references = new Map<string, Promise<SeenAnswer>>();
  for (const { values, foreign } of attemptsAt(operation, answers)) {
    const real = await send(ask, operation, { values, body: answers.body(operation) });
    const twins = { ...values };
    for (const name of foreign) twins[name] = neverExisted(values[name] ?? '');
    const key = JSON.stringify(twins);
    const reference =
      references.get(key) ??
      send(ask, operation, { values: twins, body: answers.body(operation) }).then((text) =>
        seen(
          text,
          foreign.map((name) => twins[name] ?? ''),
        ),
      );
    references.set(key, reference);
    const asked = foreign.map((name) => values[name] ?? '');
    const answered = seen(real, asked);
    const toWhatNeverWas = await reference;
    const request = `${operation.name} ${JSON.stringify(Object.fromEntries(foreign.map((name) => [name, values[name]])))}`;
    if (JSON.stringify(answered) !== JSON.stringify(toWhatNeverWas)) {
      leaks.push({ request, answered, toWhatNeverWas });
    }
    const told = whatIsTold(real, others, Object.values(values));
    if (told.length > 0) leaks.push({ request, answered: `holds ${told.join(', ')}` });
  }
  return leaks;
}

type Raw = {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly text: string;
};

async function send(ask: Ask, operation: Operation, request: Request): Promise<Raw> {
  const { path, body } = buildRequest(operation, request);
  const response = await ask(operation.method, path, body);
  return { status: response.status, headers: [...response.headers], text: await response.text() };
}

/** Things of others in an answer, but for what the request itself said. */
export const whatIsTold = (
  { headers, text }: Pick<Raw, 'headers' | 'text'>,
  others: readonly StoredValue[],
  said: readonly string[],
): string[] => {
  const whole = text + JSON.stringify(headers);
  return others
    .filter(({ value }) => !said.some((one) => one.includes(value)) && whole.includes(value))
    .map(({ kind, value }) => `${kind} ${value}`);
};

/** Of each request only, or of the moment: these say nothing about what was asked for. The length follows from the body. */
const passing = new Set(['date', 'x-request-id', 'content-length', 'connection', 'keep-alive']);

function seen({ status, headers, text }: Raw, asked: readonly string[]): SeenAnswer {
  const neutral = (value: string): string =>
    asked
      .reduce((rest, one) => rest.replaceAll(JSON.stringify(one).slice(1, -1), '<asked>'), value)
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<instant>')
      .replaceAll(/[\w-]{43,}/g, '<secret>');
  return {
    status,
    headers: Object.fromEntries(
      headers.filter(([name]) => !passing.has(name)).map(([name, value]) => [name, neutral(value)]),
    ),
    body: neutral(text),
  };
}

/** For `expect`: the first few, since one fault often shows at many places. */
export function expectNoLeaks(leaks: readonly Finding[]): void {
  expect(leaks.slice(0, 5)).toEqual([]);
}
