// What metrics are told of: applications one by one, or summed for each user, or all in one.
import type { MetricsDetail } from '../../config/index.js';
import { Figures } from '../figures.js';
import type { AppScene, Scene } from '../scene.js';

export type Labels = Readonly<Record<string, string>>;

export interface Group {
  readonly labels: Labels;
  readonly figures: Figures;
  /** Requests that wait for a worker. */
  readonly waiting: number;
  readonly apps: readonly AppScene[];
}

/** Requests that led to no application come last, with empty names. */
export function groupsOf(
  { apps, elsewhere, waitingElsewhere }: Scene,
  detail: MetricsDetail,
): readonly Group[] {
  const none: Group = {
    ...{ labels: labelsOf('', '', detail), figures: elsewhere, apps: [] },
    waiting: waitingElsewhere,
  };
  switch (detail) {
    case 'app':
      return [
        ...apps.map((scene): Group => {
          const labels = labelsOf(scene.user, scene.app.id, detail);
          const { figures, waiting } = scene;
          return { labels, figures, waiting, apps: [scene] };
        }),
        none,
      ];
    case 'user':
      return [...perUser(apps), none];
    case 'total':
      return [summed(none.labels, apps, none)];
  }
}

function labelsOf(user: string, app: string, detail: MetricsDetail): Labels {
  if (detail === 'total') return {};
  return detail === 'user' ? { user } : { user, app };
}

function perUser(apps: readonly AppScene[]): readonly Group[] {
  const byUser = new Map<string, AppScene[]>();
  for (const scene of apps) {
    const others = byUser.get(scene.user);
    if (others === undefined) byUser.set(scene.user, [scene]);
    else others.push(scene);
  }
  return [...byUser].map(([user, own]) => summed({ user }, own));
}

function summed(labels: Labels, apps: readonly AppScene[], more?: Group): Group {
  const figures = new Figures();
  let waiting = more?.waiting ?? 0;
  for (const scene of apps) {
    figures.add(scene.figures);
    waiting += scene.waiting;
  }
  if (more !== undefined) figures.add(more.figures);
  return { labels, figures, waiting, apps };
}
