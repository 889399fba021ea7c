import { isMessage, type MessageType } from '../schema';
import type { PlainMessage } from './values';

/** A message as text, a field a line; what `readMessage` reads from it is the message again. */
export function printMessage(message: PlainMessage, type: MessageType, indent = ''): string {
  return Object.entries(message)
    .flatMap(([name, value]) => {
      const field = type.fields.get(name);
      if (!field || value === undefined) return [];
      return (Array.isArray(value) ? (value as unknown[]) : [value]).map((one) => {
        if (isMessage(field.type)) {
          const inner = printMessage(one as PlainMessage, field.type, `${indent}  `);
          return `${indent}${name} {\n${inner}${indent}}\n`;
        }
        const isText = field.type === 'string' || field.type === 'bytes';
        return `${indent}${name}: ${isText ? quote(one as string | Uint8Array) : printNumber(one)}\n`;
      });
    })
    .join('');
}

const printNumber = (value: unknown): string =>
  value === Infinity ? 'inf' : value === -Infinity ? '-inf' : Number.isNaN(value) ? 'nan' : String(value);

/** A string in double quotes; bytes that are no printable ASCII as octal escapes. */
export function quote(value: string | Uint8Array): string {
  const text = typeof value === 'string' ? value : new TextDecoder('latin1').decode(value);
  const escaped = text.replace(
    /["\\\n\r\t]/g,
    (one) => ({ '\n': '\\n', '\r': '\\r', '\t': '\\t' })[one] ?? `\\${one}`,
  );
  const octal = (one: string) => `\\${one.charCodeAt(0).toString(8).padStart(3, '0')}`;
  // eslint-disable-next-line no-control-regex -- these are the ones that a text file must not hold
  const control = typeof value === 'string' ? /[\0-\x1f\x7f]/g : /[\0-\x1f\x7f-\xff]/g;
  return `"${escaped.replace(control, octal)}"`;
}
