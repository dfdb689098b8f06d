// What an application would start with now, for `usherd config USER/APP` of one that does not run.
import type { Config } from '../config/index.js';
import { isUsherdError } from '../errors.js';
import { describeSeen } from '../spawner/lean.js';
import { tableOf } from './answer-fields.js';
import { appPlace, visitApp } from './app-visit.js';
import type { Answer } from './control-client.js';

/** As its user sees it now. */
export async function describedByItself(
  config: Config,
  app: string,
): Promise<{ readonly app?: Answer; readonly remark: string }> {
  try {
    const { outcome } = await visitApp(config, appPlace(config, app, '/'));
    const seen = outcome.ok ? outcome : outcome.seen;
    const remark = outcome.ok
      ? `this is what ${app} would start with now`
      : `${app} would not start: \`usherd check ${app}\` says why`;
    return seen === undefined ? { remark } : { app: tableOf(describeSeen(seen)), remark };
  } catch (err) {
    if (isUsherdError(err)) return { remark: `${app} would not start: ${err.message}` };
    throw err;
  }
}
