/** An OpenAPI document, read as somebody reads it who wants to try every call that it tells of. */

type Schema = {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
};
type DocumentedOperation = {
  readonly security: readonly object[];
  readonly parameters: readonly {
    readonly in: 'path' | 'query';
    readonly name: string;
    readonly schema: Schema;
  }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
  };
  readonly responses: Readonly<Record<string, unknown>>;
};
export type ApiDocument = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
};

/** Where a request holds a text of the client's own choice: an id, a name, a search; not one of a closed list. */
export type Place = {
  readonly in: 'path' | 'query' | 'body';
  /** In a body the way to it, as in `certificateIds[]`. */
  readonly name: string;
  /** Of a path: the path up to here, as in `/api/accounts/{id}/operators/{operatorId}`, which tells what the id is of. */
  readonly upToHere?: string;
};

export type Operation = {
  /** As in `GET /api/certificates/{id}`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly places: readonly Place[];
  readonly takesBody: boolean;
  readonly needsCaller: boolean;
};

export async function readApiDocument(url: string): Promise<ApiDocument> {
  const response = await fetch(new URL('/openapi.json', url));
  if (!response.ok) throw new Error(`${url}/openapi.json answered ${response.status}`);
  return (await response.json()) as ApiDocument;
}

export const operationsOf = ({ paths }: ApiDocument): Operation[] =>
  Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => {
      const body = operation.requestBody?.content['application/json']?.schema;
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        places: [
          ...operation.parameters
            .filter(({ schema }) => isFree(schema))
            .map((parameter) => placeOf(path, parameter)),
          ...(body === undefined ? [] : placesOfBody(body)),
        ],
        // A body that may only be empty is none to fill in.
        takesBody: Object.keys(body?.properties ?? {}).length > 0,
        needsCaller: operation.security.length > 0,
      };
    }),
  );

function placeOf(path: string, { in: where, name }: { in: 'path' | 'query'; name: string }): Place {
  if (where === 'query') return { in: where, name };
  const end = path.indexOf(`{${name}}`) + name.length + 2;
  return { in: where, name, upToHere: path.slice(0, end) };
}

const placesOfBody = ({ properties = {} }: Schema): Place[] =>
  Object.entries(properties).flatMap(([name, schema]): Place[] => {
    if (isFree(schema)) return [{ in: 'body', name }];
    if (schema.items && isFree(schema.items)) return [{ in: 'body', name: `${name}[]` }];
    if (isClosed(schema.items ?? schema)) return [];
    throw new Error(`This reader does not understand ${name}: ${JSON.stringify(schema)}`);
  });

const isFree = (schema: Schema): boolean => schema.type === 'string' && !schema.enum;
const isClosed = ({ type, enum: values }: Schema): boolean =>
  values !== undefined || type === 'boolean' || type === 'integer' || type === 'number';

/** Values by the name of their place; a query parameter that has none is left out, and a property of the body is that of `body`. */
export type Request = {
  readonly values: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>> | undefined;
};

/** Path with query, and the body, of a request with these values in their places. */
export function buildRequest(
  { path, places, takesBody }: Operation,
  { values, body = {} }: Request,
): { readonly path: string; readonly body: object | undefined } {
  const query = new URLSearchParams();
  let filledPath = path;
  let filledBody: Record<string, unknown> = { ...body };
  for (const { in: where, name } of places) {
    const value = values[name];
    if (where === 'path') {
      if (value === undefined) throw new Error(`nothing stands for {${name}} of ${path}`);
      filledPath = filledPath.replace(`{${name}}`, encodeURIComponent(value));
    } else if (value !== undefined) {
      if (where === 'query') query.set(name, value);
      else filledBody = { ...filledBody, ...inBody(name, value) };
    }
  }
  const search = query.size > 0 ? `?${query.toString()}` : '';
  return { path: filledPath + search, body: takesBody ? filledBody : undefined };
}

const inBody = (name: string, value: string): Record<string, unknown> =>
  name.endsWith('[]') ? { [name.slice(0, -2)]: [value] } : { [name]: value };
