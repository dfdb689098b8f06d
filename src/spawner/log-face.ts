// As much of the logger as root code needs; the program's own logger satisfies it.

type Write = (fields: object, message: string) => void;

export interface Log {
  readonly fatal: Write;
  readonly error: Write;
  readonly warn: Write;
  readonly info: Write;
  readonly debug: Write;
}
