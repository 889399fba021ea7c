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
        provideOnTypeFormattingEdits: (document, position, _typed, options) =>
          toTextEdits(
            document,
            formatLine(
              documents.analysis(document).prototxt,
              document.offsetAt(position),
              toOptions(options),
            ),
          ),
      },
      '}',
      '\n',
    ),
  );
}

const toOptions = ({ insertSpaces, tabSize }: vscode.FormattingOptions): FormatOptions => ({
  indent: insertSpaces ? ' '.repeat(tabSize) : '\t',
});
