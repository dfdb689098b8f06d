// Reads a commented example of a configuration as a document: the one place where keys are described.

/**
 * @typedef {{ prose: string[], keys: { name: string, value: string }[] }} Entry prose, line by line, and the keys below it
 * @typedef {{ table: string, entries: Entry[] }} Section `table` is '' before the first header
 */

const HEADER = /^#?\[([\w.]+)\]$/;
/** `#key = value` without a space: a default, hidden. */
const KEY = /^#?([\w]+) = (.*)$/;
const PROSE = /^# ?(.*)$/;

/** @returns {Section[]} */
export function readExample(text) {
  const sections = [{ table: '', entries: [] }];
  let prose = [];
  for (const line of text.split('\n')) {
    const header = HEADER.exec(line);
    const key = KEY.exec(line);
    if (header !== null) {
      sections.push({ table: header[1], entries: prose.length > 0 ? [{ prose, keys: [] }] : [] });
      prose = [];
    } else if (key !== null) {
      const { entries } = sections.at(-1);
      const last = entries.at(-1);
      // Keys under one comment, or right below each other, share it.
      if (prose.length === 0 && last !== undefined && last.keys.length > 0)
        last.keys.push(entry(key));
      else entries.push({ prose, keys: [entry(key)] });
      prose = [];
    } else if (line === '') {
      if (prose.length > 0) sections.at(-1).entries.push({ prose, keys: [] });
      prose = [];
    } else {
      prose.push(PROSE.exec(line)?.[1] ?? line);
    }
  }
  return sections;
}

const entry = ([, name, value]) => ({ name, value });

/** Prose as paragraphs: lines that begin with blanks stay lines. */
export function paragraphs(prose) {
  const blocks = [];
  for (const line of prose) {
    const isVerbatim = /^\s/.test(line);
    const last = blocks.at(-1);
    if (line === '') blocks.push({ isVerbatim: false, lines: [] });
    else if (last !== undefined && last.lines.length > 0 && last.isVerbatim === isVerbatim)
      last.lines.push(line);
    else blocks.push({ isVerbatim, lines: [line] });
  }
  return blocks.filter(({ lines }) => lines.length > 0);
}
