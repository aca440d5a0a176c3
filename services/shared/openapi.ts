import { z } from 'zod';
import type { ProblemCode } from '../../domain/errors.ts';
import { statusByCode } from './http-status.ts';
import { answerSpecOf, bodySchemaOf, problemsOf, type Route } from './route.ts';

type JsonSchema = {
  [key: string]: unknown;
  properties?: Record<string, unknown>;
  required?: string[];
  additionalProperties?: unknown;
};
export type OpenApiDocument = Readonly<Record<string, unknown>>;
export type ApiDescription = {
  readonly title: string;
  readonly version: string;
  readonly routes: readonly Route[];
};

const faultSchema = z.object({ path: z.string(), message: z.string() });
/** What every refusal looks like (RFC 9457); a problem may say more, as its route describes. */
const problemSchema = z.looseObject({
  type: z.string(),
  title: z.string().describe('A sentence for people.'),
  status: z.int(),
  code: z.string().describe('Stable; what programs compare.'),
  detail: z.string().describe('What to do next.'),
  instance: z.string().describe('Reference id of the request, as in X-Request-Id and the logs.'),
  faults: z.array(faultSchema).optional().describe('Everything that is wrong with the input.'),
});

/** Schemas named with `.meta({ id })` become components, so that clients get types with those names. */
class Components {
  readonly schemas: Record<string, unknown> = {};

  convert(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    const { $defs, ...rest } = z.toJSONSchema(schema, {
      io,
      override({ jsonSchema }) {
        if (io === 'input') withoutNul(jsonSchema);
      },
    });
    delete rest.$schema;
    for (const [name, definition] of Object.entries($defs ?? {})) {
      const moved = withComponentRefs(definition);
      if (JSON.stringify(this.schemas[name] ?? moved) !== JSON.stringify(moved))
        throw new Error(`Two different schemas are called "${name}" in the API description.`);
      this.schemas[name] = moved;
    }
    return withComponentRefs(rest) as JsonSchema;
  }
}

/** A text that holds a NUL is refused (request-input.ts), whatever else its schema says. */
const withoutNul = (schema: z.core.JSONSchema.BaseSchema): void => {
  if (schema.type !== 'string' || schema.enum || schema.format !== undefined) return;
  const { pattern } = schema;
  if (pattern === undefined) schema.pattern = noNul;
  else schema.allOf = [...(schema.allOf ?? []), { pattern: noNul }];
};
const noNul = '^[^\\u0000]*$';

const withComponentRefs = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withComponentRefs);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string'
        ? inner.replace('#/$defs/', '#/components/schemas/')
        : withComponentRefs(inner),
    ]),
  );
};

const pathNames = (path: string): string[] =>
  [...path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '');

const parametersOf = (route: Route, components: Components) => {
  const named = pathNames(route.path);
  const pathSchema = route.params && components.convert(route.params, 'input');
  const declared = Object.keys(pathSchema?.properties ?? {});
  if (named.toSorted().join() !== declared.toSorted().join())
    throw new Error(`${route.method} ${route.path}: path and params name different parameters.`);
  const querySchema = route.query && components.convert(route.query, 'input');
  return [
    ...named.map((name) => ({
      name,
      in: 'path',
      required: true,
      schema: pathSchema?.properties?.[name],
    })),
    ...Object.entries(querySchema?.properties ?? {}).map(([name, schema]) => ({
      name,
      in: 'query',
      required: querySchema?.required?.includes(name) ?? false,
      schema,
    })),
  ];
};

const requestBodyOf = (route: Route, components: Components) => {
  const body = bodySchemaOf(route);
  if (body === undefined) return {};
  const schema = components.convert(body, 'input');
  // `.optional()` and `.default()` leave the object's own schema in place.
  if (schema['type'] === 'object' && schema.additionalProperties !== false)
    throw new Error(`${route.method} ${route.path}: the body has to be a strict object.`);
  return {
    requestBody: {
      required: !body.safeParse(undefined).success,
      content: { 'application/json': { schema } },
    },
  };
};

const answersOf = (route: Route, components: Components) =>
  Object.entries(route.responses).map(([status, declared]) => {
    const { description, json, text } = answerSpecOf(declared);
    const content = {
      ...(json && { 'application/json': { schema: components.convert(json, 'output') } }),
      ...(text !== undefined && { [text]: { schema: { type: 'string' } } }),
    };
    return [status, { description, ...(Object.keys(content).length > 0 && { content }) }];
  });

const refusalsOf = (route: Route) => {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of problemsOf(route))
    byStatus.set(statusByCode[code], [...(byStatus.get(statusByCode[code]) ?? []), code]);
  return [...byStatus].map(([status, codes]) => [
    String(status),
    {
      description: codes.join(', '),
      content: {
        'application/problem+json': {
          schema: {
            allOf: [
              { $ref: '#/components/schemas/Problem' },
              { type: 'object', properties: { code: { enum: codes } } },
            ],
          },
        },
      },
    },
  ]);
};

/** OpenAPI 3.1 of the routes. Throws where a declaration is not consistent, so that a service with a wrong document does not start. */
export const buildOpenApi = ({ title, version, routes }: ApiDescription): OpenApiDocument => {
  const components = new Components();
  components.schemas['Problem'] = components.convert(problemSchema, 'output');
  const paths: Record<string, Record<string, unknown>> = {};
  const securitySchemes: Record<string, unknown> = {};
  for (const route of routes) {
    const operations = (paths[route.path.replaceAll(/:(\w+)/g, '{$1}')] ??= {});
    const method = route.method.toLowerCase();
    if (method in operations) throw new Error(`${route.method} ${route.path} is declared twice.`);
    const { authentication } = route;
    if (authentication) securitySchemes[authentication.scheme] = authentication.definition;
    operations[method] = {
      summary: route.summary,
      ...(route.description !== undefined && { description: route.description }),
      ...(route.tags && { tags: route.tags }),
      security: authentication ? [{ [authentication.scheme]: [] }] : [],
      parameters: parametersOf(route, components),
      ...requestBodyOf(route, components),
      responses: responsesOf(route, components),
    };
  }
  return {
    openapi: '3.1.0',
    info: { title, version },
    paths,
    components: { schemas: components.schemas, securitySchemes },
  };
};

const responsesOf = (route: Route, components: Components) => {
  const entries = [...answersOf(route, components), ...refusalsOf(route)] as [string, unknown][];
  const responses = Object.fromEntries(entries);
  if (Object.keys(responses).length < entries.length)
    throw new Error(`${route.method} ${route.path}: an answer has the status of a problem.`);
  return responses;
};
