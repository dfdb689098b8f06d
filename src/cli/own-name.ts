// The name of whoever started this command: not every uid has one, in a container for example.
import { userInfo } from 'node:os';

export function ownName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
