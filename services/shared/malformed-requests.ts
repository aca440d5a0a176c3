import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { Problem, type ProblemCode } from '../../domain/errors.ts';
import { answerHeaders } from './answer-headers.ts';
import { systemCodeOf } from './log.ts';
import { presentProblem, problemMediaType } from './problem-response.ts';

/** What Node's parser says of bytes that never became a request; whatever else it says is a request that is not valid. */
const problemBySystemCode: Readonly<Partial<Record<string, ProblemCode>>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** Answers what is not HTTP, or comes too slowly, in the shape of every other refusal; Node would answer with a bare line. */
export function answerMalformedRequests(
  server: Server,
  log: Logger,
  strictTransportSecurity: string | undefined,
): void {
  server.on('clientError', (error, socket) => {
    const systemCode = systemCodeOf(error);
    if (systemCode === 'ECONNRESET' || !socket.writable || hasBegunToAnswer(socket)) {
      socket.destroy();
      return;
    }
    const referenceId = randomUUID();
    const code = problemBySystemCode[systemCode ?? ''] ?? 'invalid_request';
    log.info({ referenceId, problem: code, systemCode }, 'malformed request');
    socket.end(answerOf(new Problem(code), referenceId, strictTransportSecurity));
  });
  // An expectation that nobody knows may be passed over (RFC 9110 10.1.1).
  server.on('checkExpectation', (request, response) => {
    server.emit('request', request, response);
  });
}

/** As Node itself looks before it answers a fault of the parser: half an answer must not be followed by another. */
function hasBegunToAnswer(socket: Duplex): boolean {
  const answering = Reflect.get(socket, '_httpMessage') as { headersSent?: boolean } | null;
  return answering?.headersSent === true;
}

function answerOf(
  problem: Problem,
  referenceId: string,
  strictTransportSecurity: string | undefined,
): string {
  const { status, body } = presentProblem(problem, referenceId);
  const text = JSON.stringify(body);
  const headers = {
    ...answerHeaders(referenceId, strictTransportSecurity),
    'Content-Type': problemMediaType,
    'Content-Length': Buffer.byteLength(text),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);
  return [`HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}`, ...lines, '', text].join(
    '\r\n',
  );
}
