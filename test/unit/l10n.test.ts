import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;

/** Of a tagged template, the template that `phrase` makes of it. */
const templateOf = ({ template }: ts.TaggedTemplateExpression): string =>
  ts.isTemplateExpression(template)
    ? template.templateSpans.reduce(
        (text, { literal }, index) => `${text}{${index}}${literal.text}`,
        template.head.text,
      )
    : template.text;

/** English words inside of `${…}`, which no translation reaches; those of phrases in it are their own. */
function wordsIn(node: ts.Node): string[] {
  if (ts.isTaggedTemplateExpression(node)) return [];
  const own =
    ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
  const words = own && /[a-z]{2}/i.test(node.text) ? [node.text] : [];
  ts.forEachChild(node, (child) => void words.push(...wordsIn(child)));
  return words;
}

/** Texts that are translated at run time: the first arguments of `t` and `vscode.l10n.t`, and what is tagged as `phrase`. */
function textsInCode(): { texts: Set<string>; words: string[] } {
  const texts = new Set<string>();
  const words: string[] = [];
  for (const folder of ['src', 'webview']) {
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!/\.tsx?$/.test(file)) continue;
      const path = `${folder}/${file}`;
      const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
      const visit = (node: ts.Node): void => {
        if (
          ts.isCallExpression(node) &&
          /^(vscode\.l10n\.|l10n\.)?t$/.test(node.expression.getText(source))
        ) {
          const [text] = node.arguments;
          expect(ts.isStringLiteralLike(text), `${path}: ${text.getText(source)} must be a literal`).toBe(
            true,
          );
          texts.add((text as ts.StringLiteralLike).text);
        }
        if (ts.isTaggedTemplateExpression(node) && node.tag.getText(source) === 'phrase') {
          texts.add(templateOf(node));
          if (ts.isTemplateExpression(node.template))
            for (const { expression } of node.template.templateSpans)
              words.push(...wordsIn(expression).map((word) => `${path}: ${word}`));
        }
        ts.forEachChild(node, visit);
      };
      visit(source);
    }
  }
  return { texts, words };
}

const placeholders = (text: string) => [...new Set(text.match(/\{\d+\}/g) ?? [])].sort();

describe('Chinese translations', () => {
  const bundle = json('l10n/bundle.l10n.zh-cn.json');
  const { texts, words } = textsInCode();

  test('each text in the code has one', () => {
    expect([...texts].filter((text) => !(text in bundle))).toEqual([]);
  });

  test('none is left over', () => {
    expect(Object.keys(bundle).filter((text) => !texts.has(text))).toEqual([]);
  });

  test('nothing in a phrase is English for good', () => {
    expect(words).toEqual([]);
  });

  test('they are sentences where the English is one', () => {
    const ends = (text: string) => /[.。]$/.test(text);
    expect(Object.keys(bundle).filter((text) => ends(text) !== ends(bundle[text]))).toEqual([]);
  });

  test('they keep the placeholders', () => {
    for (const [text, translation] of Object.entries(bundle)) {
      expect(placeholders(translation), text).toEqual(placeholders(text));
    }
  });
});

describe('texts of package.json', () => {
  const english = json('package.nls.json');
  const used = new Set(
    [...readFileSync('package.json', 'utf8').matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key),
  );

  test('each key is defined, and none is left over', () => {
    expect(Object.keys(english).sort()).toEqual([...used].sort());
  });

  test('each is there in Chinese', () => {
    expect(Object.keys(json('package.nls.zh-cn.json')).sort()).toEqual(Object.keys(english).sort());
  });
});
