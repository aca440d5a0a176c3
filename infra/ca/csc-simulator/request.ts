import type { Context } from 'koa';
import { Refusal } from './refusal.ts';

const bodyLimit = 4 * 1024 * 1024;

/** The whole body as text; refuses more than 4 MB. */
async function readText(ctx: Context): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of ctx.req as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > bodyLimit) throw new Refusal('Request too large', 'invalid_request', 413);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** A JSON object from the body; an empty body is an empty object. */
export async function readJson(ctx: Context): Promise<Record<string, unknown>> {
  const text = await readText(ctx);
  if (text === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal('The body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refusal('The body is not a JSON object');
  }
  return value as Record<string, unknown>;
}

export async function readForm(ctx: Context): Promise<URLSearchParams> {
  return new URLSearchParams(await readText(ctx));
}
