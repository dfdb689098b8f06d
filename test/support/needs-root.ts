// Why a privileged test does not run here; false where it does.

export const needsRoot: string | false = process.getuid?.() === 0 ? false : 'needs root';
