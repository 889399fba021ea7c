import * as vscode from 'vscode';
import { format, formatLine, formatRange, type FormatOptions } from '../caffe/prototxt/format';
import { selector, toTextEdits, type Documents } from './documents';

/** Formatting of a whole file, of a range, and of the line that is being typed. */
export function registerFormatting(documents: Documents): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.languages.registerDocumentFormattingEditProvider(selector, {
      provideDocumentFormattingEdits: (document, options) =>
        toTextEdits(document, format(documents.analysis(document).prototxt, toOptions(options))),
    }),
    vscode.languages.registerDocumentRangeFormattingEditProvider(selector, {
      provideDocumentRangeFormattingEdits(document, range, options) {
        const span = { start: document.offsetAt(range.start), end: document.offsetAt(range.end) };
        return toTextEdits(
          document,
          formatRange(documents.analysis(document).prototxt, span, toOptions(options)),
        );
      },
    }),
    vscode.languages.registerOnTypeFormattingEditProvider(
      selector,
      {
        provideOnTypeFormattingEdits(document, position, typed, options) {
          const { prototxt } = documents.analysis(document);
          const edits = formatLine(prototxt, document.offsetAt(position), toOptions(options));
          if (typed !== '\n' || position.line === 0) return toTextEdits(document, edits);
          // The line that the line break ended is laid out wholly.
          const { end } = document.lineAt(position.line - 1).range;
          const offset = document.offsetAt(end);
          const ended = formatRange(prototxt, { start: offset, end: offset }, toOptions(options));
          return toTextEdits(document, [...ended.filter((edit) => edit.end <= offset), ...edits]);
        },
      },
      '}',
      '\n',
    ),
  );
}

const toOptions = ({ insertSpaces, tabSize }: vscode.FormattingOptions): FormatOptions => ({
  indent: insertSpaces ? ' '.repeat(tabSize) : '\t',
});
