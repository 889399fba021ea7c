type Cell = string | number | undefined;

/** Rows as comma-separated values: numbers in full precision, what is unknown as nothing. */
export const csvOf = (rows: readonly (readonly Cell[])[]): string =>
  rows.map((row) => `${row.map(text).join(',')}\n`).join('');

const text = (cell: Cell = ''): string =>
  typeof cell === 'string' && /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : String(cell);
