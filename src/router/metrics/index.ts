// Metrics: what the router starts, and how a scrape comes about. The text is loaded when somebody asks for it first.
import type { MetricsDetail } from '../../config/index.js';
import type { Logger } from '../../log.js';
import type { Scene } from '../scene.js';
import { groupsOf } from './groups.js';
import { MetricsServer } from './server.js';

export interface MetricsParts {
  readonly log: Logger;
  readonly version: string;
  readonly detail: () => MetricsDetail;
  readonly scene: () => Promise<Scene>;
}

export function metricsServer({ log, version, detail, scene }: MetricsParts): MetricsServer {
  return new MetricsServer(log, async () => {
    const { CONTENT_TYPE, metricsText } = await import('./text.js');
    const looked = await scene();
    const groups = groupsOf(looked, detail());
    const pieces = metricsText({ scene: looked, groups, version });
    return { contentType: CONTENT_TYPE, pieces };
  });
}
