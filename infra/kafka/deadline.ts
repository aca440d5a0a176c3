/** As the work ends, or rejects with `what` ("… within 8 s") when it takes longer; then nobody hears of its end any more. */
export async function withDeadline<T>(
  work: Promise<T>,
  deadlineMs: number,
  what: string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what} within ${deadlineMs / 1000} s`));
    }, deadlineMs);
  });
  try {
    return await Promise.race([work, overdue]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}

const closingMs = 3_000;

/** Waits for connections to close in order, but not for brokers that are away. */
export async function closeInTime(closing: Promise<unknown>): Promise<void> {
  await withDeadline(closing, closingMs, 'not closed').catch(() => undefined);
}
