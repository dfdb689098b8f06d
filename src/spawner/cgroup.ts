// The supervisor's own subtree of cgroup v2: one group a worker, so that nothing a worker started survives it.
//
//   <base>/usherd-<instance>/u<uid>/a-<app>/w<worker>      base: see findCgroupBase
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Cradle } from './cgroup-cradle.js';
import {
  directoryOf,
  findMount,
  groupOf,
  groupsBelow,
  killGroup,
  makeGroup,
  moveInto,
  readWord,
  removeGroup,
  tryRemove,
  writeAndReadBack,
} from './cgroup-files.js';
import {
  APP_CONTROLLERS,
  limitApp,
  limitUser,
  memoryKills,
  WANTED_CONTROLLERS,
  type AppGroupLimits,
  type UserGroupLimits,
} from './cgroup-limits.js';

export type GroupLimits = AppGroupLimits & UserGroupLimits;

/** What `status` says about isolation by cgroup. */
export interface CgroupStatus {
  /** '' if there are none and only the process group of a worker can be stopped. */
  readonly path: string;
  /** Controllers that limit applications here; may well be empty. */
  readonly controllers: readonly string[];
}

/** The group of one worker. */
export class CgroupLeaf {
  readonly #tree: CgroupTree;
  readonly #cradle: Cradle | undefined;
  readonly #memoryKillsBefore: number;
  readonly path: string;

  constructor(tree: CgroupTree, path: string, cradle: Cradle | undefined) {
    this.#tree = tree;
    this.path = path;
    this.#cradle = cradle;
    this.#memoryKillsBefore = memoryKills(dirname(path));
  }

  /** The process that is to enter this group, started where nothing can be left outside of all groups. */
  bear(spawn: () => ChildProcess): ChildProcess {
    return this.#cradle === undefined ? spawn() : this.#cradle.bear(spawn);
  }

  /** What the application asks of itself, once it is known. False if it does not hold. */
  limit(limits: AppGroupLimits): boolean {
    return limitApp(dirname(this.path), this.#tree.controllers, limits);
  }

  /**
   * Whether its application ran out of memory in this worker's time. All of it is killed together then, so for a worker
   * that was killed and did not ask for it this is the reason.
   */
  get hasRunOutOfMemory(): boolean {
    return memoryKills(dirname(this.path)) > this.#memoryKillsBefore;
  }

  /** False if the process is not in the group afterwards, as /proc shows it. */
  add(pid: number): boolean {
    const isInside = moveInto(this.path, pid);
    this.#cradle?.clear(); // whoever did not come along was forked by somebody who had no business there
    return isInside;
  }

  kill(): void {
    this.#cradle?.clear();
    killGroup(this.path);
  }

  /** False if it cannot be removed because somebody in it cannot be killed. */
  async remove(): Promise<boolean> {
    this.#cradle?.clear();
    await this.#cradle?.remove();
    const isRemoved = await removeGroup(this.path);
    // The groups of application and user go with their last worker; while others live in them this fails.
    for (let above = dirname(this.path); above !== this.#tree.path; above = dirname(above)) {
      if (!tryRemove(above)) break;
    }
    return isRemoved;
  }
}

export class CgroupTree {
  readonly path: string;
  readonly controllers: readonly string[];
  readonly #home: string | undefined;

  /**
   * @param path exists and belongs to nobody else
   * @param home the supervisor's own group, to which it comes back from a birth
   */
  constructor(path: string, controllers: readonly string[], home?: string) {
    this.path = path;
    this.controllers = controllers;
    this.#home = home;
  }

  /** Undefined if it could not be made: then there is no worker. */
  leaf(
    owner: { readonly uid: number; readonly app: string },
    worker: string,
    limits: GroupLimits,
  ): CgroupLeaf | undefined {
    const user = join(this.path, `u${owner.uid}`);
    // The prefix keeps an application's name from meeting a file of the kernel's.
    const app = join(user, `a-${owner.app.slice(owner.app.indexOf('/') + 1)}`);
    const leaf = join(app, `w${worker}`);
    if (!this.#make({ user, app, leaf }, limits)) {
      for (const group of [leaf, app, user]) tryRemove(group); // fails where others live
      return undefined;
    }
    const home = this.#home;
    const cradle = home === undefined ? undefined : new Cradle(this.path, worker, home);
    return new CgroupLeaf(this, leaf, cradle);
  }

  /** The user's own pids_max holds for all of it; an application may ask for less (see CgroupLeaf.limit). */
  #make(groups: { user: string; app: string; leaf: string }, limits: GroupLimits): boolean {
    const { user, app, leaf } = groups;
    const controllers = APP_CONTROLLERS.filter((name) => this.controllers.includes(name));
    return (
      makeGroup(user) &&
      limitUser(user, this.controllers, limits) &&
      controllers.every((controller) => enable(user, controller)) &&
      makeGroup(leaf) &&
      limitApp(app, this.controllers, limits)
    );
  }

  /** Ends everything below and takes the tree away: what a dead supervisor left, or what is left at the end. */
  async clear(): Promise<boolean> {
    killGroup(this.path);
    for (const group of groupsBelow(this.path)) await removeGroup(group);
    return await removeGroup(this.path);
  }
}

const OWN_LEAF = 'supervisor';
/** Made by whoever starts the supervisor with full root. */
const PREPARED = 'usherd';

/** Kills what a dead supervisor of this instance left and makes the tree anew; undefined where cgroups cannot be had. */
export async function openCgroups(
  run: string,
  base = findCgroupBase(),
): Promise<CgroupTree | undefined> {
  if (base === undefined) return undefined;
  const instance = createHash('sha256').update(run).digest('hex').slice(0, 8);
  const path = join(base, `usherd-${instance}`);
  await new CgroupTree(path, []).clear();
  if (!makeGroup(path)) return undefined;
  if (!existsSync(join(path, 'cgroup.procs'))) {
    tryRemove(path); // a plain directory: not cgroup2 after all
    return undefined;
  }
  stepAside(base);
  const controllers = WANTED_CONTROLLERS.filter(
    (controller) => enable(base, controller) && enable(path, controller),
  );
  return new CgroupTree(path, controllers, ownGroup());
}

/** The tree of a supervisor that runs, for a command beside it: nothing in it is ended, no controller is turned on. */
export const livingCgroups = ({ path, controllers }: CgroupStatus): CgroupTree =>
  new CgroupTree(path, controllers, ownGroup());

/** A group with processes in it may not pass controllers on, so the supervisor moves into a leaf of its own. */
function stepAside(base: string): void {
  const passedOn = readWord(join(base, 'cgroup.subtree_control')) ?? '';
  const isNeeded = WANTED_CONTROLLERS.some(
    (name) => has(join(base, 'cgroup.controllers'), name) && !passedOn.split(' ').includes(name),
  );
  const isRoot = !existsSync(join(base, 'cgroup.events')); // the root of the hierarchy has none and is exempt
  const own = join(base, OWN_LEAF);
  if (isNeeded && !isRoot && makeGroup(own)) {
    writeAndReadBack(join(own, 'cgroup.procs'), String(process.pid));
  }
}

/**
 * The group to work in: the one this process was started in (a service manager delegates it), or, where that is not
 * ours to write, as the root of the hierarchy never is, the one that was made for us below it.
 */
function findCgroupBase(): string | undefined {
  const mount = findMount();
  const started = groupOf('self');
  if (mount === undefined || started === undefined) return undefined;
  // Started by somebody who stepped aside himself, we would nest one deeper each time.
  const own = join(mount, basename(started) === OWN_LEAF ? dirname(started) : started);
  return [own, join(own, PREPARED), join(mount, PREPARED)].find(isWritable);
}

/** Undefined if this process could not come back to where it is. */
function ownGroup(): string | undefined {
  const group = directoryOf('self');
  return group !== undefined && moveInto(group, 'self') ? group : undefined;
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function enable(group: string, controller: string): boolean {
  const file = join(group, 'cgroup.subtree_control');
  if (has(file, controller)) return true;
  if (!has(join(group, 'cgroup.controllers'), controller)) return false;
  writeAndReadBack(file, `+${controller}`); // refused while processes are in the group itself
  return has(file, controller);
}

const has = (file: string, controller: string): boolean =>
  (readWord(file) ?? '').split(' ').includes(controller);
