import pg from 'pg';

/** SQLSTATE classes and codes that say "not now": connection, resources, operator intervention, locks that did not come in time. */
const notNow = /^(08|53|57)|^(55P03|40001|40P01|25P03)$/;
/** Of the driver, which gives these no code. */
const driverMessages =
  /^(timeout exceeded when trying to connect|Query read timeout|Connection terminated|Client has encountered a connection error|Cannot use a pool after|Too many wait for a connection)/;

/** True when the database could not be asked or did not get round to it, as opposed to refusing what it was asked. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return notNow.test(error.code ?? '');
  if (typeof error !== 'object' || error === null) return false;
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH)/.test(code)) {
    return true;
  }
  return typeof message === 'string' && driverMessages.test(message);
}
