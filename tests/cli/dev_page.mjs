// What a person does with the page of `dev --open`, in Chromium. The argument is JSON: the page's `address`, the browser's
// path (`chromium`), the package that drives it (`driver`), the app's directory (`app`), a `gate` that does not exist yet, and
// the directory for pictures (`pictures`).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { address, chromium, driver, app, gate, pictures } = JSON.parse(process.argv[2]);
const playwright = createRequire(driver)('playwright-core');
const browser = await playwright.chromium.launch({ executablePath: chromium, args: ['--no-sandbox'] });

const context = await browser.newContext({ viewport: { width: 1280, height: 960 }, colorScheme: 'light', reducedMotion: 'reduce' });
context.setDefaultTimeout(60_000);
const wrong = [];
const visit = async () => {
  const page = await context.newPage();
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(message.text()));
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('request', (request) => request.url().startsWith(address) || wrong.push(`foreign: ${request.url()}`));
  await page.goto(address);
  await page.locator('#phase[data-phase=good]').waitFor();
  return page;
};

const page = await visit();
process.on('uncaughtExceptionMonitor', () => console.error(wrong));
const text = (selector) => page.locator(selector).innerText();
const until = (selector, words) => page.locator(selector).filter({ hasText: words }).first().waitFor();
const picture = (name) => page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
const press = (keys) => page.keyboard.press(keys);

// With the keyboard alone: the focus goes in the order of the form, and is seen.
await page.locator('#ready button').first().waitFor();
await page.locator('#method').focus();
const order = [];
for (let nth = 0; nth < 4; nth += 1) {
  await press('Tab');
  order.push(await page.evaluate(() => document.activeElement.id));
}
assert.deepEqual(order, ['path', 'send', 'headers', 'body']);
assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none');
await page.locator('#headers').fill('authorization: Bearer of-this-tab\nx-kept: yes');

// The first chunk is there before the last one is sent, which waits for the gate.
await page.locator('#path').fill(`/hold?${gate}`);
await press('Control+Enter');
await until('#text', 'one is well');
assert.ok(await page.locator('#send').isDisabled() && await page.locator('#cancel').isEnabled());
assert.match(await text('#facts'), /first byte\s+\d/);
assert.match(await text('#answer-words'), /is arriving/);
assert.doesNotMatch(await text('#text'), /ends whole/);
writeFileSync(gate, '');
await until('#answer-words', 'Complete: 2 chunks');
assert.match(await text('#text'), /ends whole/);
assert.match(await text('#facts'), /longest gap/);
await page.locator('#line').focus();
await press('ArrowRight');
await press('ArrowRight');
assert.match(await text('#chunk'), /^Chunk 2 of 2 at .* bytes: and ends whole/);
await page.locator('#tab-body').focus();
await press('ArrowRight');
assert.equal(await page.locator('#panel-chunks tbody tr:visible').count(), 2);

// A request of the manifest, sent with Enter: events, each with its name, id and data.
await page.getByRole('button', { name: 'GET /events' }).click();
await press('Enter');
await until('#answer-words', 'Complete');
const events = page.locator('#events > li:visible');
assert.equal(await events.count(), 4);
assert.match(await events.nth(1).innerText(), /tick\s*id 1\s*\{"n": 1\}/);
assert.match(await events.nth(3).innerText(), /message\s*the stream is done\s*\[DONE\]/);
await picture('light');

// Messages of JSON-RPC in an event stream.
await page.locator('#path').fill('/mcp');
await press('Control+Enter');
await until('#messages > li', 'tools');
assert.match(await page.locator('#messages > li:visible').innerText(), /result\s*id 1/);

// What a function says is text.
await page.locator('#path').fill('/html');
await press('Control+Enter');
await until('#answer-words', 'Complete');
assert.match(await text('#text'), /<img src=x onerror=alert\(1\)>/);
assert.equal(await page.locator('#answer img').count(), 0);
await page.locator('#path').fill('/bytes');
await press('Control+Enter');
await until('#text', '8 bytes, not text');
assert.match(await text('#text'), /00 ff fe 80/);

// Esc cancels, and the function's side ends, too.
await page.locator('#path').fill('/hold?/nowhere/at/all');
await press('Control+Enter');
await until('#text', 'one is well');
await press('Escape');
await until('#answer-words', 'Cancelled');
await until('#log', 'started one');

// A stream goes on while a broken edit is reported and a good one is released.
const later = `${gate}-later`;
await page.locator('#path').fill(`/hold?${later}`);
await press('Control+Enter');
await until('#text', 'one is well');
writeFileSync(`${app}/check.sh`, "echo 'error: not today'; exit 1\n");
await page.locator('#phase[data-phase=broken]').waitFor();
assert.match(await text('#phase'), /the last good release keeps serving/);
assert.match(await text('#failures'), /error: the build command [^]*not today/);
await until('#output', 'error: not today');
assert.match(await text('#why'), /check\.sh/);
await picture('broken');
writeFileSync(`${app}/check.sh`, 'echo checked\n');
writeFileSync(`${app}/main.py`, readFileSync(`${app}/main.py`, 'utf8').replace('"one"', '"two"'));
await page.locator('#phase[data-phase=good]').waitFor();
assert.equal(await page.locator('#failures pre').count(), 0);
assert.match(await text('#verdicts'), /verified[^]*first byte/);
const rows = (await text('#releases')).split('\n').filter((row) => /\d/.test(row));
assert.ok(rows.length >= 2 && rows.filter((row) => /live/.test(row)).length === 1, rows.join('\n'));
assert.match(await text('#answer-words'), /is arriving/);
writeFileSync(later, '');
await until('#answer-words', 'Complete: 2 chunks');
assert.match(await text('#text'), /^one is well[^]*ends whole/);
await page.locator('#path').fill('/');
await press('Control+Enter');
await until('#text', 'two is well');

// The form outlives its tab, except what is private; this tab keeps all of it.
await page.locator('#path').fill('/remembered');
await page.locator('#headers').fill('authorization: Bearer of-this-tab\nx-kept: yes');
await page.reload();
await page.locator('#phase[data-phase=good]').waitFor();
assert.equal(await page.locator('#headers').inputValue(), 'authorization: Bearer of-this-tab\nx-kept: yes');
const other = await visit();
assert.equal(await other.locator('#path').inputValue(), '/remembered');
assert.equal(await other.locator('#headers').inputValue(), 'x-kept: yes');
assert.ok(await other.locator('#recent option').count() > 5);
await other.close();

// The line for curl asks what the form asks, in a shell.
await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(address).origin });
await page.locator('#path').fill("/it's here?all={1,2}&$HOME");
await page.locator('#headers').fill("x-key: it's `id` $(id)");
await page.locator('#copy').click();
await page.getByRole('button', { name: 'Copied' }).waitFor();
const line = await page.evaluate(() => navigator.clipboard.readText());
await press('Control+Enter');
await until('#answer-words', 'Complete');
const asked = await text('#text');
assert.match(asked, /^two is well at \/it's%20here\?all=\{1,2\}&\$HOME with it's `id` \$\(id\)/);
assert.equal(execFileSync('sh', ['-c', line], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim(), asked.trim());

// A page that cannot reach the server says so, and goes on once it can.
const cutOff = await context.newPage();
let isDown = true;
await cutOff.route('**/feed', (route) => (isDown ? route.abort('connectionreset') : route.continue()));
await cutOff.goto(address);
await cutOff.locator('#phase[data-phase=lost]').waitFor();
assert.match(await cutOff.locator('#phase').innerText(), /connecting again/);
isDown = false;
await cutOff.locator('#phase[data-phase=good]').waitFor();
await cutOff.close();

// Dark, and on a narrow screen.
const colours = () => page.evaluate(() => ['background-color', 'color'].map((name) => getComputedStyle(document.body).getPropertyValue(name)));
const light = await colours();
await page.getByRole('button', { name: 'GET /events' }).click();
await press('Enter');
await until('#answer-words', 'Complete');
await page.emulateMedia({ colorScheme: 'dark' });
const dark = await colours();
assert.ok(light.every((colour, nth) => colour !== dark[nth]), `${light} ${dark}`);
await picture('dark');
await page.setViewportSize({ width: 400, height: 800 });
assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 400);
await picture('narrow');

assert.deepEqual(wrong, []);
await browser.close();
