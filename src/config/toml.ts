// Text to TOML tables, with the bounds and refusals that make the parser safe for hostile text. Only importer of smol-toml.
import { TomlError, parse } from 'smol-toml';
import type { Finding } from '../errors.js';

/** A TOML table: a null-prototype object, nothing in it checked yet. */
export type Table = Readonly<Record<string, unknown>>;

export type ParsedToml =
  { readonly ok: true; readonly table: Table } | { readonly ok: false; readonly finding: Finding };

/** Deeper than any key of ours; the parser recurses once a level. */
const DEPTH_MAX = 8;

/** Parses TOML. `source` is what findings call the file. Never throws. */
export function parseToml(text: string, source: string): ParsedToml {
  try {
    // 'throw': `__proto__` and `constructor` are no keys of ours at any depth.
    // BigInt: so that 1e3 and 1000.0, which are no whole numbers in TOML, can be told from 1000.
    const table = parse(text, {
      maxDepth: DEPTH_MAX,
      unsafeKeyBehaviour: 'throw',
      integersAsBigInt: true,
    });
    return { ok: true, table };
  } catch (err) {
    return { ok: false, finding: syntaxFinding(err, source) };
  }
}

const EXPECTED = 'TOML: on each line a key = value, a [table], or a comment that begins with #';

function syntaxFinding(err: unknown, source: string): Finding {
  const remedy = 'mend this line; https://toml.io describes the format';
  if (!(err instanceof TomlError)) {
    // Not a TomlError: a stack overflow or a bug of the parser. The text is refused all the same.
    return {
      rule: 'config-syntax',
      path: source,
      found: 'text that the TOML parser gave up on',
      expected: EXPECTED,
      remedy,
    };
  }
  // The message carries a picture of the line below its first line: tenants' text does not belong into our log.
  const [headline = ''] = err.message.split('\n', 1);
  return {
    rule: 'config-syntax',
    path: `${source}:${err.line}`,
    found: `column ${err.column}: ${headline.replace(/^Invalid TOML document: /, '')}`,
    expected: EXPECTED,
    remedy,
  };
}
