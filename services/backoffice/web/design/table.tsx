import type { ReactNode } from 'react';
import { classNames } from './class-names.ts';
import styles from './table.module.css';

export type Column = {
  readonly name: string;
  /** Of what is done with a row: its name is only read out, and its cell needs no label. */
  readonly isActions?: boolean;
};
export type Row = { readonly key: string; readonly cells: readonly ReactNode[] };

/**
 * Rows under named columns, the first of which names the row. Where there is no room for columns, each row is a block with the names inside; the roles are
 * written out because browsers forget that a table is one when it is laid out otherwise.
 */
export function Table({
  label,
  columns,
  rows,
}: {
  readonly label: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}) {
  return (
    <table role="table" aria-label={label} className={styles.table}>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ name, isActions }) => (
            <th key={name} role="columnheader" scope="col">
              {isActions === true ? <span className="visually-hidden">{name}</span> : name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map(({ key, cells }) => (
          <tr key={key} role="row">
            {columns.map(({ name, isActions }, place) =>
              place === 0 ? (
                <th key={name} role="rowheader" scope="row">
                  {cells[place]}
                </th>
              ) : (
                <td
                  key={name}
                  role="cell"
                  className={classNames(isActions === true && styles.actions)}
                >
                  {isActions !== true && (
                    <span className={styles.label} aria-hidden="true">
                      {name}
                    </span>
                  )}
                  <div>{cells[place]}</div>
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
