/**
 * Lines of RFC 4180: comma, quotes only where needed, CRLF. What a spreadsheet would take for a formula is led by an apostrophe, which it shows as text
 * (OWASP, CSV injection), since names and reasons are what people typed.
 */
export function csvLine(fields: readonly string[]): string {
  return `${fields.map(csvField).join(',')}\r\n`;
}

/** Full-width signs count as well: spreadsheets of some languages take them for the plain ones. */
const startsFormula = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/u;

function csvField(value: string): string {
  const text = startsFormula.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
