// The status page in a real Chromium: it is quiet, refreshes itself, works without script, on a phone, in the dark.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { noApache } from '../support/apache.js';
import { StatusStage } from '../support/status-stage.js';
import { waitFor } from '../support/wait-for.js';

const CHROMIUM = '/usr/bin/chromium';
const PICTURES = join(import.meta.dirname, '../../../docs/pictures');
/** `npm run page -- pictures`: those in the documents are made anew. */
const takesPictures = process.env['USHERD_PICTURES'] === '1';
const absent = existsSync(CHROMIUM) ? noApache : 'chromium is not installed';

const DESKTOP = { viewport: { width: 1_100, height: 1_250 } };
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

let stage: StatusStage;
let browser: Browser;

/** A page that complains of nothing; what it complains of is in `complaints`. */
async function open(
  t: TestContext,
  options: BrowserContextOptions,
): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const context = await browser.newContext(options);
  t.after(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (err) => complaints.push(err.message));
  page.on('requestfailed', (request) => complaints.push(request.url()));
  page.on('request', (request) => {
    if (!request.url().startsWith(stage.url)) complaints.push(`elsewhere: ${request.url()}`);
  });
  await page.goto(stage.url);
  return { page, complaints };
}

async function picture(page: Page, name: string): Promise<void> {
  if (!takesPictures) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, name), type: 'png' });
}

/** Nothing is wider than the window. */
const overflow = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

describe('the status page in Chromium', { skip: absent }, () => {
  before(async () => {
    stage = await StatusStage.start({ sampleIntervalMs: 100 });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    await stage.visit(20);
    await stage.trouble();
    // Charts have something to show.
    for (let round = 0; round < 12; round += 1) await stage.visit(20 + 15 * (round % 4));
  });
  after(async () => {
    await browser.close();
    await stage.stop();
  });

  test('shows what is wrong and what runs, and loads nothing from elsewhere', async (t) => {
    const { page, complaints } = await open(t, { ...DESKTOP, colorScheme: 'light' });
    await page.locator('#live', { hasText: /^live$/ }).waitFor();
    const text = await page.innerText('main');
    for (const shown of ['alice/blog', 'refused-app-owner', 'worker-died', 'Remedy', 'dave']) {
      assert.ok(text.includes(shown), `${shown} in ${text}`);
    }
    assert.ok(text.includes('<img src=x onerror=alert(1)>'), 'what a tenant wrote is text');
    assert.equal(await page.locator('img').count(), 0);
    assert.ok((await page.locator('svg polyline').count()) >= 6);
    const points = await page.locator('svg polyline').first().getAttribute('points');
    assert.ok((points ?? '').split(' ').length > 5, 'the chart has a line');
    assert.equal(await overflow(page), 0);
    assert.deepEqual(complaints, []);
    await picture(page, 'status-light.png');
  });

  test('refreshes itself, keeps what was unfolded, and says when nobody answers', async (t) => {
    const { page } = await open(t, DESKTOP);
    const row = page.locator('tr', { hasText: 'alice/blog' }).first();
    await row.locator('summary').click();
    const served = (): Promise<string> => page.locator('[id="w-alice/blog"]').innerText();
    const before = await served();
    await stage.visit(3);
    await waitFor('other numbers', async () => (await served()) !== before, 20_000);
    assert.equal(await page.locator('[id="w-alice/blog"]').getAttribute('open'), '');
    await page.context().setOffline(true);
    await page.locator('#live', { hasText: 'no answer' }).waitFor();
  });

  test('works without script', async (t) => {
    const { page } = await open(t, { ...DESKTOP, javaScriptEnabled: false });
    const text = await page.innerText('body');
    assert.ok(text.includes('again every 10 s') && text.includes('alice/blog'));
    assert.equal(await page.locator('noscript meta[http-equiv=refresh]').count(), 1);
    await page.locator('a', { hasText: 'alice' }).click();
    assert.match(page.url(), /\?user=alice$/);
    const own = await page.innerText('main');
    assert.ok(own.includes('alice/shop') && !own.includes('dave/slow'));
  });

  test('fits a phone, in the dark too', async (t) => {
    const { page } = await open(t, { ...PHONE, colorScheme: 'dark' });
    await picture(page, 'status-phone.png');
    assert.equal(await overflow(page), 0);
    const background = await page.evaluate(
      'getComputedStyle(document.documentElement).colorScheme',
    );
    assert.equal(background, 'light dark');
    const { page: desktop } = await open(t, { ...DESKTOP, colorScheme: 'dark' });
    const tile = "getComputedStyle(document.querySelector('.tile')).backgroundColor";
    assert.equal(await desktop.evaluate(tile), 'rgb(28, 33, 39)');
  });
});
