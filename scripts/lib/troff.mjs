// Manual pages: the few macros of man(7) that ours need, with everything escaped that troff would take for its own.

const escape = (text) =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('~', '\\(ti')
    .replaceAll('^', '\\(ha')
    .replaceAll('–', '\\(en')
    .replaceAll('→', '\\(->')
    .replaceAll('…', '...')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '');

/** A line of text: never one that troff takes for a request. */
const line = (text) => escape(text).replace(/^\./, '\\&.');

const quoted = (text) => `"${escape(text).replaceAll('"', '\\(dq')}"`;

export const title = (name, section) =>
  `.TH ${quoted(name.toUpperCase())} ${section} "" "usherd" ""`;
export const heading = (text) => `.SH ${quoted(text.toUpperCase())}`;
export const subheading = (text) => `.SS ${quoted(text)}`;
export const paragraph = (text) => `.PP\n${text.split('\n').map(line).join('\n')}`;
/** `tag`, bold, with its text indented below. */
export const item = (tag, text) =>
  `.TP\n.B ${quoted(tag)}\n${text.split('\n').map(line).join('\n')}`;
export const verbatim = (lines) => `.PP\n.RS 4\n.nf\n${lines.map(line).join('\n')}\n.fi\n.RE`;

export const page = (parts) => `${parts.join('\n')}\n`;
