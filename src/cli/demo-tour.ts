// What the demo says and looks at: the banner, and the visit to every URL that judges the answers.
import { get } from 'node:http';
import type { DemoApp, DemoTree } from './demo-tree.js';

const VISIT_DEADLINE_MS = 30_000;

interface Answer {
  readonly status: number;
  readonly text: string;
}

const width = (lines: readonly string[]): number => Math.max(...lines.map((line) => line.length));

/** What a person sees when everything runs. */
export function banner(tree: DemoTree, origin: string): string {
  const { apps, directory, program } = tree;
  const urls = apps.map(({ path }) => origin + path);
  const lines = apps.map(({ owner, title }, at) => {
    const url = (urls[at] ?? '').padEnd(width(urls));
    return `  ${url}  ${title}, as ${owner.name} (uid ${owner.uid})`;
  });
  const who = tree.isRoot
    ? 'Every page shows the uid that it runs under: alice and bob are two, and neither is root.'
    : `You are not root, so everything runs as you (uid ${process.getuid?.() ?? 0}). As root, alice and bob are two uids.`;
  const template = `${directory}/srv/alice/apps`;
  return `
usherd demo: two users, their applications, and no web server

${lines.join('\n')}

${who}
Load a page twice: the same process answers, and counts. Load another user's: another process.

  all of them         ${origin}/
  what runs now       ${program.node} ${program.main} status --config ${tree.configFile}
  one more, no reload cp -a ${template}/hello-node ${template}/mine
                      ${origin}/~alice/apps/mine/
  log                 ${tree.logFile}

Ctrl-C ends it and leaves nothing behind.
`;
}

function fetchText(url: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { timeout: VISIT_DEADLINE_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', reject);
  });
}

/** @returns what is wrong with an answer, '' if nothing is */
function faultOf(answer: Answer, { owner }: DemoApp): string {
  if (answer.status !== 200) return `status ${answer.status} instead of 200`;
  const uid = /^uid=(\d+)$/m.exec(answer.text)?.[1];
  if (uid === undefined) return 'the answer names no uid';
  return Number(uid) === owner.uid ? '' : `uid ${uid} instead of ${owner.uid}`;
}

async function visit(url: string, app: DemoApp): Promise<{ fault: string; text: string }> {
  try {
    const answer = await fetchText(url);
    return { fault: faultOf(answer, app), text: answer.text };
  } catch (err) {
    return { fault: err instanceof Error ? err.message : String(err), text: '' };
  }
}

/** Requests every URL and prints what came back. @returns whether each ran under the uid of its owner */
export async function visitAll(
  tree: DemoTree,
  options: { readonly origin: string; readonly print: (text: string) => void },
): Promise<boolean> {
  let isGood = true;
  for (const app of tree.apps) {
    const url = `${options.origin}${app.path}?plain`;
    const { fault, text } = await visit(url, app);
    isGood &&= fault === '';
    const shown = text.trimEnd().split('\n').slice(0, 8).join('\n    ');
    options.print(`${fault === '' ? 'ok  ' : 'FAIL'} ${url}\n    ${shown}`);
    if (fault !== '') options.print(`    wrong: ${fault}`);
  }
  return isGood;
}
