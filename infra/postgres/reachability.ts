import type { Queryable } from './pool.ts';

/** How the last finished mail to an operator of an account went. */
export type LastMail = {
  readonly account: { readonly accountId: string; readonly name: string };
  readonly operatorName: string;
  readonly mail:
    | {
        readonly mailId: string;
        readonly certificateId: string;
        readonly state: 'accepted' | 'refused' | 'failed';
        readonly createdAt: Date;
      }
    | undefined;
};

/** For every operator of every account that the asking operator has, themselves included. */
export async function listLastMails(queryable: Queryable, operatorId: string): Promise<LastMail[]> {
  const { rows } = await queryable.query<{
    account_id: string;
    account_name: string;
    operator_name: string;
    mail_id: string | null;
    certificate_id: string;
    state: 'accepted' | 'refused' | 'failed';
    created_at: Date;
  }>(
    `select a.account_id, a.name as account_name, o.name as operator_name, d.mail_id, d.certificate_id, d.state, d.created_at
     from account_operators as own
     join accounts as a on a.account_id = own.account_id
     join account_operators as m on m.account_id = own.account_id
     join operators as o on o.operator_id = m.operator_id
     left join lateral (
       select x.mail_id, x.certificate_id, x.state, x.created_at from mails as x
       where x.account_id = m.account_id and x.operator_id = m.operator_id and x.state <> 'sending'
       order by x.created_at desc limit 1
     ) as d on true
     where own.operator_id = $1`,
    [operatorId],
  );
  return rows.map((row) => ({
    account: { accountId: row.account_id, name: row.account_name },
    operatorName: row.operator_name,
    mail:
      row.mail_id === null
        ? undefined
        : {
            mailId: row.mail_id,
            certificateId: row.certificate_id,
            state: row.state,
            createdAt: row.created_at,
          },
  }));
}
