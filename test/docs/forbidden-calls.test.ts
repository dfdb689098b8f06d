// Calls that have no place in this program, found in its syntax and not in its text (T126).
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import ts from 'typescript';

const SOURCES = join(import.meta.dirname, '../../../src');

type Judge = (node: ts.Node, file: string) => boolean;

const nameOf = (node: ts.Node): string => (ts.isIdentifier(node) ? node.text : '');

/** `import { name } from 'module'`, by the name it has in the module. */
const imports =
  (module: RegExp, names: ReadonlySet<string>): Judge =>
  (node) => {
    if (!ts.isImportSpecifier(node) || node.isTypeOnly) return false;
    const { moduleSpecifier } = node.parent.parent.parent;
    const isModule = ts.isStringLiteral(moduleSpecifier) && module.test(moduleSpecifier.text);
    return isModule && names.has((node.propertyName ?? node.name).text);
  };

const importsModule =
  (module: RegExp): Judge =>
  (node) =>
    ts.isImportDeclaration(node) &&
    node.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword &&
    ts.isStringLiteral(node.moduleSpecifier) &&
    module.test(node.moduleSpecifier.text);

/** `object.name`, called or not. */
const member =
  (object: string, names: RegExp): Judge =>
  (node) =>
    ts.isPropertyAccessExpression(node) &&
    nameOf(node.expression) === object &&
    names.test(node.name.text);

const text =
  (pattern: RegExp): Judge =>
  (node) =>
    (ts.isStringLiteralLike(node) ||
      ts.isTemplateHead(node) ||
      ts.isTemplateMiddleOrTemplateTail(node)) &&
    pattern.test(node.text);

const only =
  (files: readonly string[], judge: Judge): Judge =>
  (node, file) =>
    !files.includes(file) && judge(node, file);

const NETWORK = ['gateway/gateway.ts', 'cli/demo-tour.ts', 'router/protocols/http.ts'];
const JSON_READERS = [
  'cli/control-client.ts', // the supervisor's answer, as the administrator
  'cli/demo-program.ts', // a package.json of our own examples
  'cli/version.ts', // our own package.json
  'ipc/framing.ts', // 4 KiB, then a schema
  'spawner/control.ts', // 4 KiB, then a schema
  'router/log-connection.ts', // the supervisor's label
];

const FORBIDDEN: Readonly<Record<string, Judge>> = {
  'a shell, a fork with a channel': imports(
    /^(?:node:)?child_process$/,
    new Set(['exec', 'execSync', 'fork', 'default']),
  ),
  'a shell as an option': (node) =>
    ts.isPropertyAssignment(node) &&
    nameOf(node.name) === 'shell' &&
    node.initializer.kind !== ts.SyntaxKind.FalseKeyword,
  "an 'ipc' channel": text(/^ipc$/),
  'a drop in this very process': member('process', /^(?:set(?:e?[ug]id|groups)|initgroups)$/),
  'bash, recursive chown, recursive rm': text(/\bbash\b|chown -R|rm -rf/),
  'code from text': (node) =>
    (ts.isCallExpression(node) && nameOf(node.expression) === 'eval') ||
    (ts.isNewExpression(node) && nameOf(node.expression) === 'Function') ||
    importsModule(/^(?:node:)?vm$/)(node, ''),
  'other processes of ours, threads, the inspector': importsModule(
    /^(?:node:)?(?:cluster|worker_threads|inspector|dgram|http2|https|tls)$/,
  ),
  'HTTP where it has no place': only(
    NETWORK,
    imports(/^(?:node:)?http$/, new Set(['createServer', 'request', 'get', 'default'])),
  ),
  'JSON that nobody knows': only(JSON_READERS, member('JSON', /^parse$/)),
  'a module whose name is computed': (node) =>
    ts.isCallExpression(node) &&
    node.expression.kind === ts.SyntaxKind.ImportKeyword &&
    !node.arguments.every(ts.isStringLiteral),
};

function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* nodesOf(child);
}

function found(judge: Judge, source: ts.SourceFile, file: string): readonly string[] {
  return [...nodesOf(source)]
    .filter((node) => judge(node, file))
    .map((node) => `${file}: ${node.getText(source).slice(0, 80)}`);
}

const parse = (file: string, code: string): ts.SourceFile =>
  ts.createSourceFile(file, code, ts.ScriptTarget.ESNext, true);

const sources = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, source: parse(name, readFileSync(join(SOURCES, name), 'utf8')) }));

/** A judge that finds nothing may be one that cannot. */
const SAMPLES: Readonly<Record<string, string>> = {
  'a shell, a fork with a channel': `import { fork } from 'node:child_process';`,
  'a shell as an option': `spawn('x', [], { shell: true });`,
  "an 'ipc' channel": `const stdio = ['pipe', 'ipc'];`,
  'a drop in this very process': `process.setuid(1);`,
  'bash, recursive chown, recursive rm': `const command = 'rm -rf /x';`,
  'code from text': `eval('1');`,
  'other processes of ours, threads, the inspector': `import inspector from 'node:inspector';`,
  'HTTP where it has no place': `import { createServer } from 'node:http';`,
  'JSON that nobody knows': `JSON.parse(text);`,
  'a module whose name is computed': `await import(name);`,
};

describe('nothing in src/ has (T126)', () => {
  for (const [what, judge] of Object.entries(FORBIDDEN)) {
    test(what, () => {
      const sample = parse('sample.ts', SAMPLES[what] ?? '');
      assert.equal(found(judge, sample, 'sample.ts').length > 0, true, 'the sample is not found');
      assert.deepEqual(
        sources.flatMap(({ name, source }) => found(judge, source, name)),
        [],
      );
    });
  }
});
