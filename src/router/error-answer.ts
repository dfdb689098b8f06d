// The answers that usherd gives itself: whole CGI answers, because web servers ignore the status in END_REQUEST.
import { STATUS_CODES } from 'node:http';
import { ERRORS, type ErrorCode } from '../errors.js';
import { LIMITS } from '../limits.js';

export interface ErrorAnswerInput {
  readonly code: ErrorCode;
  /** The rule that refused, for E_ACCESS_REFUSED. */
  readonly rule?: string;
  readonly requestId: string;
  readonly method: string;
  readonly mode: 'production' | 'development';
  /** Shown in development mode only, as are the next two. */
  readonly detail?: string;
  readonly remedy?: string;
  readonly stderrLines?: readonly string[];
  /** In place of the catalogue's Retry-After. */
  readonly retryAfterMs?: number;
}

const STYLE =
  ':root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:3rem auto;' +
  'max-width:46rem;padding:0 1rem}h1{font-size:1.4rem}pre{overflow:auto;padding:.8rem;' +
  'border:1px solid;border-radius:4px;font-size:.85rem}small{opacity:.7}';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text of anybody as HTML text: bounded, no markup, no control characters. */
function escapeHtml(text: string): string {
  return text
    .slice(0, LIMITS.errorPageLineMaxChars)
    .replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '')
    .replace(/[^\P{Cc}\t]/gu, '\u00b7');
}

const HEADER_TOKEN_MAX_CHARS = 128;

/** A header value cannot be left or ended by anything in it. */
const headerToken = (text: string): string =>
  text.replace(/[^A-Za-z0-9@._-]/g, '').slice(0, HEADER_TOKEN_MAX_CHARS);

/** X-Usherd-Reason of a code; a refusal by rule names the rule. */
export function answerReason(code: ErrorCode, rule = ''): string {
  const name = headerToken(rule);
  if (code === 'E_ACCESS_REFUSED' && name !== '') return `refused-${name}`;
  const { reason } = ERRORS[code];
  return reason === '' ? 'internal-error' : reason;
}

function developmentPart(input: ErrorAnswerInput): string {
  const row = ERRORS[input.code];
  const parts = [`<p>${escapeHtml(row.meaning)}</p>`];
  if (input.rule !== undefined && input.rule !== '') {
    parts.push(`<p>Rule: <code>${escapeHtml(input.rule)}</code></p>`);
  }
  if (input.detail !== undefined && input.detail !== '') {
    parts.push(`<p>Cause: ${escapeHtml(input.detail)}</p>`);
  }
  parts.push(`<p>Remedy: ${escapeHtml(input.remedy ?? row.remedy)}</p>`);
  const lines = (input.stderrLines ?? []).slice(-LIMITS.errorPageLinesMaxCount).map(escapeHtml);
  if (lines.length > 0) parts.push(`<p>Last lines of the log:</p><pre>${lines.join('\n')}</pre>`);
  return parts.join('\n');
}

function page(title: string, input: ErrorAnswerInput): string {
  const details = input.mode === 'development' ? `${developmentPart(input)}\n` : '';
  return (
    `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>${title}</title>\n` +
    `<meta name="viewport" content="width=device-width">\n<style>${STYLE}</style>\n` +
    `<h1>${title}</h1>\n${details}<p><small>Request ${headerToken(input.requestId)}</small></p>\n` +
    '</html>\n'
  );
}

/**
 * A whole CGI answer, below 64 KiB so that it fits one record; owned by the caller. HEAD gets the same head and no body.
 * Codes that answer no request (configuration, framing) give a plain 500.
 */
export function errorAnswer(input: ErrorAnswerInput): Buffer {
  const row = ERRORS[input.code];
  const status = row.status === 0 ? 500 : row.status;
  const title = `${status} ${STATUS_CODES[status] ?? 'Error'}`;
  const body = Buffer.from(page(title, input));
  const retryAfterS =
    row.retryAfterS === 0 || input.retryAfterMs === undefined || input.retryAfterMs <= 0
      ? row.retryAfterS
      : Math.ceil(input.retryAfterMs / 1000);
  const head = [
    `Status: ${title}`,
    'Content-Type: text/html; charset=utf-8',
    `Content-Length: ${body.length}`,
    `X-Usherd-Reason: ${answerReason(input.code, input.rule)}`,
    `X-Usherd-Request-Id: ${headerToken(input.requestId)}`,
    'Cache-Control: no-store',
    ...(retryAfterS > 0 ? [`Retry-After: ${retryAfterS}`] : []),
    '\r\n',
  ];
  const bytes = Buffer.from(head.join('\r\n'), 'latin1');
  return input.method === 'HEAD' ? bytes : Buffer.concat([bytes, body]);
}
