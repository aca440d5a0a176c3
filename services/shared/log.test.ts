import { Problem } from '../../domain/errors.ts';
import { createLog, type Logger } from './log.ts';

const secret = 'planted-4711';
const write = (use: (log: Logger) => void) => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  use(createLog({ service: 'gate', level: 'info', destination }));
  return lines.join('');
};
const parse = (line: string) => JSON.parse(line) as Record<string, unknown>;

describe('the log', () => {
  it('is a line of JSON with level, service and an ISO instant', () => {
    const line = parse(
      write((log) => {
        log.info({ count: 3n, at: new Date(0) }, 'counted');
      }),
    );
    expect(line).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      service: 'gate',
      count: '3',
      at: '1970-01-01T00:00:00.000Z',
      msg: 'counted',
    });
  });

  it.each([
    'password',
    'pin',
    'PIN',
    'otp',
    'sad',
    'SAD',
    'token',
    'accessToken',
    'refresh_token',
    'authorization',
    'Authorization',
    'cookie',
    'set-cookie',
    'code',
    'state',
    'clientSecret',
    'client_secret',
    'codeVerifier',
    'apiKey',
    'sessionId',
    'email',
    'SEALING_KEYS',
    'DATABASE_URL',
  ])('never holds a value called %s, at whatever depth', (name) => {
    const planted = { [name]: secret };
    const output = write((log) => {
      log.info(planted, 'top');
      log.info({ request: { headers: planted, list: [{ deep: { deeper: planted } }] } }, 'nested');
      log.child(planted).info('bound');
      log.child({ bound: { inner: planted } }).info('bound deep');
      log.info({ [name]: { value: secret } }, 'object');
    });
    expect(output.split('\n').filter((line) => line !== '')).toHaveLength(5);
    expect(output).not.toContain(secret);
    expect(output).toContain('[redacted]');
  });

  it('tells name, message, stack, causes and system code of an error, and no other property', () => {
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', config: secret });
    const error = Object.assign(new TypeError('could not ask', { cause }), {
      request: { body: secret },
      code: secret,
    });
    const output = write((log) => {
      log.error({ err: error }, 'failed');
    });
    expect(output).not.toContain(secret);
    expect(parse(output)['err']).toEqual({
      name: 'TypeError',
      message: 'could not ask',
      stack: expect.stringContaining('log.test.ts') as string,
      cause: {
        name: 'Error',
        systemCode: 'ECONNREFUSED',
        message: 'refused',
        stack: expect.any(String) as string,
      },
    });
  });

  it('tells the code of a problem, and not its details', () => {
    const output = write((log) => {
      log.warn(new Problem('factor_rejected', { pin: secret, note: secret }));
    });
    expect(parse(output)['err']).toMatchObject({ name: 'Problem', problem: 'factor_rejected' });
    expect(output).not.toContain(secret);
  });

  it('takes passwords and queries out of URLs in the texts of errors', () => {
    const output = write((log) => {
      log.error(new Error(`GET https://ca.example/callback?code=${secret}&state=x failed`));
      log.error({ err: new Error(`postgres://user:${secret}@db:5432/x is down`) }, 'down');
      log.error({
        errors: [new Error(`/ca/callback?code=${secret}`)],
        url: new URL(`http://u:${secret}@h/`),
      });
    });
    expect(output).not.toContain(secret);
    expect(output).toContain('https://ca.example/callback?[redacted] failed');
    expect(output).toContain('postgres://[redacted]@db:5432/x is down');
  });

  it('does not look into sockets, clients and bytes, nor lose itself in a circle', () => {
    class Client {
      readonly hidden = secret;
    }
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const output = write((log) => {
      log.info({ client: new Client(), bytes: Buffer.from(secret), circle }, 'odd');
    });
    expect(output).not.toContain(secret);
    expect(parse(output)).toMatchObject({ client: '[object]', bytes: '[12 bytes]' });
  });
});
