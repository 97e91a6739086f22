/** PostgreSQL's jsonb takes neither NUL nor lone surrogates, and a log line takes no line breaks. */
export function toPlainText(text: string, lengthMax: number): string {
  return text
    .replace(/\p{Cc}/gu, '\uFFFD')
    .slice(0, lengthMax)
    .toWellFormed();
}
