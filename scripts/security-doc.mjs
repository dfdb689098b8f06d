// Writes the last column of the attack table in docs/security.md: where each attack is tried, found by the numbers in the tests' names.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { fail, ROOT } from './lib/run.mjs';

const DOCUMENT = 'docs/security.md';
const RUNNERS = new Set(['test', 'it', 'describe']);

const testFiles = () =>
  readdirSync(join(ROOT, 'test'), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .sort();

/** The text of a string or template, without what is computed. */
function literalText(node) {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return '';
  return [node.head, ...node.templateSpans.map(({ literal }) => literal)]
    .map(({ text }) => text)
    .join(' ');
}

/** `test('…')`, `it('…')`, `describe('…')`, `t.test('…')`. */
function* testNames(node) {
  if (ts.isCallExpression(node)) {
    const {
      expression,
      arguments: [first],
    } = node;
    const callee = ts.isPropertyAccessExpression(expression) ? expression.name : expression;
    if (ts.isIdentifier(callee) && RUNNERS.has(callee.text) && first !== undefined)
      yield literalText(first);
  }
  const children = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* testNames(child);
}

/** Number of an attack to the test files whose tests name it, in order. */
export function attacksTried() {
  const tried = new Map();
  for (const file of testFiles()) {
    const text = readFileSync(join(ROOT, 'test', file), 'utf8');
    if (!/\bT\d/.test(text)) continue;
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
    for (const name of testNames(source)) {
      for (const [, number] of name.matchAll(/\bT(\d{1,3})\b/g)) {
        tried.set(Number(number), (tried.get(Number(number)) ?? new Set()).add(file));
      }
    }
  }
  return tried;
}

const ROW = /^\| T(\d{1,3}) +\|.*$/gm;

/** The document as it should be. An exception is a reason that begins with "not tried", and stays as it is. */
export function securityDocument(text, tried = attacksTried()) {
  return text.replace(ROW, (row, number) => {
    const cells = row
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1);
    const files = [...(tried.get(Number(number)) ?? [])].sort();
    const links = files.map((file) => `[${file.replace(/\.test\.ts$/, '')}](../test/${file})`);
    const last = cells[4] ?? '';
    const where = links.length > 0 ? links.join(' ') : last.startsWith('not tried') ? last : '–';
    return `| ${[...cells.slice(0, 4), where].join(' | ')} |`;
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const path = join(ROOT, DOCUMENT);
    writeFileSync(path, securityDocument(readFileSync(path, 'utf8')));
  } catch (err) {
    fail(err);
  }
}
