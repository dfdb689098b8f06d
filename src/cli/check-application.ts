// `usherd check USER/APP`: what a start of this application would refuse, rule by rule, without starting it.
import { APP_ID } from '../ipc/index.js';
import type { Config } from '../config/index.js';
import { UsherdError } from '../errors.js';
import {
  AccountDirectory,
  buildPlan,
  closeInheritedDescriptors,
  findTools,
  lookAtApplication,
  type Account,
  type ConfiguredAccount,
  type LaunchReport,
  type Tools,
} from '../privdrop/index.js';
import { markNames } from '../runtimes/index.js';
import { currentMode } from './configuration.js';
import { serviceIds } from './service-ids.js';
import { describe } from './supervisor.js';

/**
 * One line that says as whom and as what the application runs.
 * @throws UsherdError with every rule that refuses it
 */
export async function checkApplication(config: Config, app: string): Promise<string> {
  if (!APP_ID.test(app)) {
    throw new UsherdError('E_USAGE', `${JSON.stringify(app)} is not USER/APP, as in alice/blog`);
  }
  closeInheritedDescriptors(); // of whatever shell started us; the launcher is looked at for them
  const [user = '', name = ''] = app.split('/');
  const tools = findTools();
  const account = await accountOf(config, tools, user);
  const { directory, report } = await firstRoot(config, { tools, account, user, name });
  const description = describe(config, {
    user,
    app,
    directory,
    uid: account.uid,
    wantedRuntime: '',
    marks: report.marks,
    directoryMark: report.directory,
    manifestText: report.manifestText,
  });
  if (!description.ok) throw new UsherdError(description.code, `${app}: ${description.detail}`);
  const { runtime } = description.blueprint;
  return `${app} (${directory}) runs as uid ${account.uid}, runtime ${runtime}: no rule refuses it`;
}

async function accountOf(config: Config, tools: Tools, user: string): Promise<Account> {
  const mode = currentMode();
  const configured = new Map<string, ConfiguredAccount>();
  for (const [name, { account }] of config.users) {
    if (account !== undefined) configured.set(name, account);
  }
  const { minUid, maxUid, denyGroups, supplementaryGroups } = config.identity;
  const routerUid = mode === 'root' ? (await serviceIds(config)).routerUid : -1;
  const forbiddenUids = new Map([[routerUid, 'the router']]);
  const rules = { minUid, maxUid, denyGroups, supplementaryGroups, forbiddenUids };
  const result = await new AccountDirectory({ mode, tools, rules, configured }).lookup(user);
  if (result.ok) return result.account;
  throw new UsherdError(result.code, `account ${user}`, { findings: [result.finding] });
}

interface Asked {
  readonly tools: Tools;
  readonly account: Account;
  readonly user: string;
  readonly name: string;
}

/** As a launch does it: only "there is no such directory" asks the next root. */
async function firstRoot(
  config: Config,
  { tools, account, user, name }: Asked,
): Promise<{ readonly directory: string; readonly report: LaunchReport }> {
  const mode = currentMode();
  const plan = buildPlan(account, { mode, noNewPrivileges: true, processes: 0 });
  const names = markNames(config.runtimes);
  let missing: UsherdError | undefined;
  for (const root of config.apps.roots) {
    const directory = root.replaceAll('{user}', user).replaceAll('{app}', name);
    const look = await lookAtApplication({ plan, tools, directory, names });
    if (look.ok) return { directory, report: look.report };
    const error = new UsherdError(look.code, directory, { findings: look.findings });
    if (look.code !== 'E_APP_UNKNOWN') throw error;
    missing ??= error;
  }
  throw missing ?? new UsherdError('E_APP_UNKNOWN', 'no root is configured');
}
