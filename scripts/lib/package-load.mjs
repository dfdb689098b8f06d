// Load for `npm run package-test`, run inside the container: requests over kept connections until its standard input ends.
// Prints one line of JSON: how many answers, and how many of each kind were not the page.
import http from 'node:http';

const [path, wanted] = process.argv.slice(2);
const CLIENTS = 8;
const agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });
const wrong = {};
let answers = 0;
let isOver = false;
process.stdin.on('end', () => (isOver = true)).resume();

const note = (what) => (wrong[what] = (wrong[what] ?? 0) + 1);

function get() {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port: 80, path, agent }, (answer) => {
      let body = '';
      answer.on('data', (chunk) => (body += chunk));
      answer.on('end', () => {
        answers += 1;
        if (answer.statusCode !== 200 || !body.startsWith(wanted)) {
          note(`${answer.statusCode} ${answer.headers['x-usherd-reason'] ?? ''}`.trim());
        }
        resolve();
      });
    });
    request.on('error', (err) => {
      // A kept connection that Apache closes when it reloads: every client tries again, and so do we.
      if (err.code !== 'ECONNRESET' || !request.reusedSocket) note(err.code);
      resolve();
    });
  });
}

async function client() {
  while (!isOver) await get();
}

await Promise.all(Array.from({ length: CLIENTS }, client));
agent.destroy();
process.stdout.write(`${JSON.stringify({ answers, wrong })}\n`);
