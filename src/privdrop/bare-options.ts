// Options for node:child_process that carry nothing of the supervisor and nothing that a polluted prototype could add.

/** `options` with cwd `/` and an empty environment; neither inherits from Object.prototype, whose `uid` spawn would honour. */
export function bareOptions<T extends object>(options: T): T {
  const env: unknown = Object.create(null);
  return Object.assign(Object.create(null) as T, options, { cwd: '/', shell: false, env });
}
