import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { encoded, redGreenBlue, solid } from '../support/pictures.ts';
import { newPlaygroundPage, type PlaygroundPage } from '../support/playground-page.ts';
import { type Service, startService } from '../support/service.ts';
import { chromium } from '../support/tools.ts';

describe.skipIf(chromium === undefined)('the layout of the playground', () => {
  let service: Service;
  let browser: Browser;
  let playground: PlaygroundPage;

  beforeAll(async () => {
    service = await startService();
    browser = await launchBrowser();
    playground = await newPlaygroundPage(browser, { reducedMotion: 'reduce' });
    await playground.open(service.url);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  it('has no barriers with several files, one of which failed, at each width and in both themes', async () => {
    const { page, barriers } = playground;
    const files = [
      { name: 'a.png', mimeType: 'image/png', buffer: Buffer.from(await encoded(redGreenBlue, 'png')) },
      { name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from('no image at all') },
      {
        name: 'b.tiff',
        mimeType: 'image/tiff',
        buffer: Buffer.from(await encoded(solid(9, 9, [0, 255, 0]), 'tiff')),
      },
    ];
    await page.setInputFiles('#file', files);
    await page.getByText('2 of 3 images done, 1 failed').waitFor();
    expect(await barriers()).toEqual([]);
    // The problem of the failed file, with its preview.
    await page.locator('#file-list button.file', { hasText: 'broken.png' }).click();
    await page.getByRole('alert').waitFor();
    expect(await barriers()).toEqual([]);
  }, 180_000);

  it('leads to the result on a phone, where that follows the settings', async () => {
    const { page, announcedAfter } = playground;
    await page.setViewportSize({ width: 390, height: 844 });
    await announcedAfter(() => page.click('#sample'));
    const top = (selector: string) =>
      page.evaluate<number>(`document.querySelector('${selector}').getBoundingClientRect().top + scrollY`);
    const [form, result, facts, call] = await Promise.all(['#form', '#view', '.facts', '.code'].map(top));
    expect([form, result, facts, call]).toEqual(
      [form, result, facts, call].toSorted((a = 0, b = 0) => a - b),
    );
    // Nothing is two screens away from its neighbour.
    expect((result ?? 0) - (form ?? 0)).toBeLessThan(2 * 844);

    await page.evaluate('scrollTo(0, 0)');
    await page.getByRole('link', { name: 'Result ↓' }).click();
    await page.getByRole('link', { name: 'Settings ↑' }).waitFor();
    const resultTop = "document.querySelector('#view').getBoundingClientRect().top";
    expect(Math.abs(await page.evaluate<number>(resultTop))).toBeLessThan(20);
    await page.getByRole('link', { name: 'Settings ↑' }).click();
    await page.getByRole('link', { name: 'Result ↓' }).waitFor();
    await announcedAfter(() => page.click('#run'));
    expect(Math.abs(await page.evaluate<number>(resultTop))).toBeLessThan(20);
    expect(await page.textContent('#jump-text')).toBe(await page.textContent('#live'));
  }, 120_000);

  it('lets the keyboard reach the drop zone, the files and the button that cancels, and shows the focus', async () => {
    const { page, context } = playground;
    await page.setViewportSize({ width: 900, height: 860 });
    const outlineOf = (selector: string) =>
      page.evaluate<string>(`getComputedStyle(document.querySelector('${selector}')).outlineStyle`);
    await page.focus('.skip');
    await page.keyboard.press('Tab');
    const passed: string[] = [];
    for (let presses = 0; presses < 12 && passed.at(-1) !== 'file'; presses++) {
      await page.keyboard.press('Tab');
      passed.push(await page.evaluate<string>('document.activeElement.id'));
    }
    expect(passed.at(-1), passed.join()).toBe('file');
    expect(await outlineOf('#drop')).toBe('solid');

    const picture = Buffer.from(await encoded(redGreenBlue, 'png'));
    const files = ['a.png', 'b.png'].map((name) => ({ name, mimeType: 'image/png', buffer: picture }));
    await page.setInputFiles('#file', files);
    await page.getByText('2 of 2 images done').waitFor();
    await page.focus('#download-all');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.title')).toBe('a.png');
    expect(await outlineOf('.file:focus')).toBe('solid');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('.file[title="b.png"][aria-current="true"]').waitFor();

    await context.setOffline(true);
    await page.keyboard.press('Control+Enter');
    await page.getByText('You are offline').first().waitFor();
    await context.setOffline(false);
    await page.getByRole('alert').waitFor({ state: 'hidden' });
  }, 120_000);
});
