'use strict';

// Text from elsewhere is only ever set as text (`textContent`), never as HTML.

const $ = (id) => document.getElementById(id);
const LONGEST_TEXT = 1024 * 1024;
const LONGEST_HEX = 4096;
const ROWS = 2000;
const LOG_LINES = 1000;
const RECENT = 20;
/** Headers whose values are not kept beyond the tab. */
const PRIVATE = /^(cookie|.*(auth|passw|key|token|secret|session|signature).*)$/i;

/** An element with text and children. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const grouped = (number) => number.toLocaleString('en');
const counted = (number, what) => `${grouped(number)} ${what}${number === 1 ? '' : 's'}`;

/** Milliseconds in words, as in `lamstream invoke --report`. */
function inWords(time) {
  if (time < 10) return `${time.toFixed(1)} ms`;
  return time < 1000 ? `${time.toFixed(0)} ms` : `${(time / 1000).toFixed(2)} s`;
}

function clock(at) {
  return new Date(at).toLocaleTimeString('en-GB', { hour12: false }) + '.' + String(at % 1000).padStart(3, '0');
}

/** Whether the view shows its end, and so should go on doing so. */
const isAtEnd = (view) => view.scrollHeight - view.scrollTop - view.clientHeight < 24;
const toEnd = (view) => { view.scrollTop = view.scrollHeight; };

/* What is remembered: everything in this tab, and in this browser all except private headers. */

const store = (where, key) => ({
  read() { try { return JSON.parse(where.getItem(key)); } catch { return null; } },
  write(value) { try { where.setItem(key, JSON.stringify(value)); } catch { /* It is full or switched off. */ } },
  drop() { try { where.removeItem(key); } catch { /* It is switched off. */ } },
});
const remembered = { tab: store(sessionStorage, 'draft'), draft: store(localStorage, 'draft'), recent: store(localStorage, 'recent') };

const withoutPrivate = (request) => ({
  ...request,
  headers: request.headers.split('\n').filter((line) => !PRIVATE.test(line.split(':')[0].trim())).join('\n'),
});

/* The form. */

const fields = ['function', 'method', 'path', 'headers', 'body'];
let functions = [];

const written = () => Object.fromEntries(fields.map((name) => [name, $(name).value]));

function fill(request) {
  for (const name of fields) {
    if (name !== 'function') $(name).value = request[name] ?? '';
    else if (functions.some((known) => known.name === request.function)) $('function').value = request.function;
  }
  showReady();
  keepDraft();
}

function keepDraft() {
  remembered.tab.write(written());
  remembered.draft.write(withoutPrivate(written()));
}

function keepRecent(request) {
  const same = (other) => fields.every((name) => other[name] === request[name]);
  const kept = [request, ...(remembered.recent.read() ?? []).filter((other) => !same(other))].slice(0, RECENT);
  remembered.recent.write(kept);
  showRecent();
}

function showRecent() {
  const recent = remembered.recent.read() ?? [];
  const words = (request) => `${request.method} ${request.path}` + (functions.length > 1 ? ` (${request.function})` : '');
  const options = recent.map((request, nth) => make('option', { value: String(nth), textContent: words(request) }));
  const first = make('option', { value: '', textContent: recent.length ? 'choose one…' : 'none yet' });
  $('recent').replaceChildren(first, ...options);
}

const chosen = () => functions.find((known) => known.name === $('function').value) ?? functions[0];

function showReady() {
  const requests = chosen()?.requests ?? [];
  const button = (request) => {
    const made = make('button', { type: 'button', textContent: request.label, title: request.label });
    made.addEventListener('click', () => {
      const headers = request.headers.map(([name, value]) => `${name}: ${value}`).join('\n');
      fill({ ...request, function: $('function').value, headers });
      $('send').focus();
    });
    return made;
  };
  $('ready').replaceChildren(...requests.map(button));
  $('ready-row').hidden = requests.length === 0;
}

function showFunctions(found) {
  const before = $('function').value || remembered.tab.read()?.function || remembered.draft.read()?.function;
  const isFirst = functions.length === 0 && found.length > 0;
  const formOf = (list) => JSON.stringify(list.map(({ name, url, requests }) => [name, url, requests]));
  // The focus stays where it is.
  const isSame = formOf(functions) === formOf(found);
  functions = found;
  if (isSame) return;
  const option = ({ name, url }) => make('option', { value: name, textContent: url ? name : `${name} (no URL)` });
  $('function').replaceChildren(...found.map(option));
  if (found.some((known) => known.name === before)) $('function').value = before;
  $('function-field').hidden = found.length < 2;
  showReady();
  showRecent();
  const draft = remembered.tab.read() ?? remembered.draft.read();
  if (isFirst && !draft && found[0].requests.length) $('ready').firstChild.click();
}

/** The lines of the headers' field as pairs; throws what is wrong. */
function headerPairs(text) {
  return text.split('\n').map((line) => line.trim()).filter(Boolean).map((line) => {
    const at = line.indexOf(':');
    if (at < 1) throw new Error(`“${line}” is not a header: write “name: value”`);
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
}

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

async function copyAsCurl() {
  const { method, path, headers, body } = written();
  const url = chosen()?.url;
  if (!url) return say('The function has no URL yet.');
  let parts;
  try {
    parts = headerPairs(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  } catch (error) { return say(error.message); }
  // Curl would take a body that begins with `@` for a file, braces for a list, and wait for the body of a `HEAD`.
  const data = body ? [`--data-raw ${quoted(body)}`] : [];
  const as = method === 'HEAD' ? '-I' : `-X ${quoted(method)}`;
  const address = new URL(url.replace(/\/$/, '') + (path.startsWith('/') ? path : `/${path}`)).href;
  const command = ['curl -g -N', as, ...parts, ...data, quoted(address)].join(' ');
  try {
    await navigator.clipboard.writeText(command);
    $('copy').textContent = 'Copied';
    setTimeout(() => { $('copy').textContent = 'Copy as curl'; }, 1500);
  } catch { say(command); }
}

const say = (words) => { $('form-words').textContent = words; };

/* The response. */

const HOW_TO_READ = 'A bar is a chunk, taller with more bytes; the shade is the longest gap. Point at a bar, or use the arrow keys.';

let exchange = null;
/** Sessions of MCP servers, by function and path. */
const sessions = new Map();

class EventReader {
  constructor() { this.rest = ''; this.clear(); }
  clear() { this.event = ''; this.data = []; this.id = null; }
  /** The events that end in this text. */
  read(text) {
    this.rest += text;
    const found = [];
    // A carriage return at the end may be the first half of a line's end.
    for (let match; (match = /\r\n|\n|\r(?!$)/.exec(this.rest)); ) {
      const line = this.rest.slice(0, match.index);
      this.rest = this.rest.slice(match.index + match[0].length);
      if (line === '') {
        if (this.data.length || this.event) found.push({ event: this.event, id: this.id, data: this.data.join('\n') });
        this.clear();
        continue;
      }
      const [name, ...more] = line.split(':');
      const value = more.join(':').replace(/^ /, '');
      if (name === 'data') this.data.push(value);
      else if (name === 'event') this.event = value;
      else if (name === 'id') this.id = value;
    }
    return found;
  }
}

class Exchange {
  constructor(request) {
    Object.assign(this, { request, chunks: [], bytes: 0, gap: null, head: null, ended: null, fault: null, text: '', hex: '', shown: 0, binary: false, selected: -1 });
    this.abort = new AbortController();
    this.decoder = new TextDecoder('utf-8', { fatal: true });
    this.began = performance.now();
  }

  get isOpen() { return this.ended === null; }
  header(name) { return this.head?.headers.find(([known]) => known.toLowerCase() === name)?.[1] ?? ''; }

  async run() {
    const { headers, ...rest } = this.request;
    const pairs = headerPairs(headers);
    const session = sessions.get(this.request.function + this.request.path);
    if (session && !pairs.some(([name]) => name.toLowerCase() === 'mcp-session-id') && /"jsonrpc"/.test(rest.body) && !/"initialize"/.test(rest.body)) {
      pairs.push(['mcp-session-id', session]);
    }
    const wish = JSON.stringify({ ...rest, headers: pairs, body: rest.body === '' ? null : rest.body });
    try {
      const answer = await fetch('send', { method: 'POST', body: wish, signal: this.abort.signal });
      if (!answer.ok) throw new Error(`the request was refused with status ${answer.status}`);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (let part; !(part = await reader.read()).done; ) {
        const lines = (rest + part.value).split('\n');
        rest = lines.pop();
        for (const line of lines) this.take(JSON.parse(line));
        drawSoon();
      }
      if (this.isOpen) this.end(this.elapsed(), ['the connection to `lamstream dev` ended']);
    } catch (error) {
      if (!this.isOpen) return;
      if (error.name === 'AbortError') { this.cancelled = true; this.end(this.elapsed(), null); }
      else this.end(this.elapsed(), [`cannot reach \`lamstream dev\`: ${error.message}`]);
    }
  }

  elapsed() { return performance.now() - this.began; }

  take(line) {
    if (line.failed) return this.end(this.elapsed(), line.failed);
    if (line.head) return this.begin(line.head);
    if (line.end) return this.end(line.end.at, line.end.fault);
    const binary = Uint8Array.from(atob(line.data), (letter) => letter.charCodeAt(0));
    const before = this.chunks.at(-1)?.at;
    const gap = before === undefined ? null : line.at - before;
    if (gap !== null && (!this.gap || gap > this.gap.to - this.gap.from)) this.gap = { from: before, to: line.at };
    const chunk = { at: line.at, gap, bytes: line.bytes };
    this.chunks.push(chunk);
    this.bytes += line.bytes;
    this.read(binary, chunk);
  }

  begin(head) {
    this.head = head;
    const kind = this.header('content-type').toLowerCase();
    this.isEvents = kind.startsWith('text/event-stream');
    this.isJson = /[/+]json/.test(kind);
    this.events = this.isEvents ? new EventReader() : null;
    const session = this.header('mcp-session-id');
    if (session) sessions.set(this.request.function + this.request.path, session);
    const rows = head.headers.map(([name, value]) => make('tr', {}, make('th', { scope: 'row', textContent: name }), make('td', { textContent: value })));
    $('answer-headers').replaceChildren(...rows);
    $('answer').hidden = false;
    $('tab-events').hidden = !this.isEvents;
    if (this.isEvents) choose('events');
  }

  /** Shows a chunk's bytes. */
  read(bytes, chunk) {
    let text = '';
    if (!this.binary) {
      try { text = this.decoder.decode(bytes, { stream: true }); } catch { this.binary = true; }
      if (text.includes('\0')) this.binary = true;
    }
    chunk.begins = this.binary ? hexOf(bytes.slice(0, 16)) : text.slice(0, 80);
    if (this.chunks.length <= ROWS) addChunkRow(chunk, this.chunks.length);
    if (this.binary) return this.showHex(bytes);
    this.showText(text);
    if (this.isJson && this.text.length <= LONGEST_TEXT) this.text += text;
    for (const event of this.events?.read(text) ?? []) addEvent(event, chunk.at);
  }

  showText(text) {
    const room = LONGEST_TEXT - this.shown;
    this.shown += text.length;
    if (room <= 0) { $('rest').textContent = `\n… ${grouped(this.shown - LONGEST_TEXT)} more characters are not shown`; return; }
    const panel = $('panel-body');
    const follows = isAtEnd(panel);
    $('rest').before(text.slice(0, room));
    if (follows) toEnd(panel);
  }

  showHex(bytes) {
    const room = Math.max(0, LONGEST_HEX - this.shown);
    if (!this.hexNode) { this.hexNode = make('span', { className: 'hex' }); this.shown = 0; $('text').prepend(this.hexNode, '\n'); }
    this.hex += [...bytes.slice(0, room)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    this.shown += Math.min(bytes.length, room);
    const kind = this.header('content-encoding') || this.header('content-type') || 'unknown type';
    this.hexNode.textContent = `${grouped(this.bytes)} bytes, not text (${kind}); the first in hexadecimal:\n${this.hex.replace(/(.{2})/g, '$1 ').replace(/(.{48})/g, '$1\n')}`;
  }

  end(at, fault) {
    this.ended = Math.max(at, this.chunks.at(-1)?.at ?? 0);
    this.fault = fault;
    if (this.isJson && !this.binary) {
      try {
        const found = JSON.parse(this.text);
        const messages = Array.isArray(found) ? found : [found];
        if (messages.length && messages.every(isMessage)) messages.forEach((message) => addMessage(message, this.ended));
      } catch { /* It is shown as text. */ }
    }
    $('cancel').disabled = true;
    $('send').disabled = false;
    draw();
  }
}

const hexOf = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
const isMessage = (value) => value !== null && typeof value === 'object' && value.jsonrpc === '2.0';

function addChunkRow(chunk, number) {
  const cell = (text, properties = { className: 'number' }) => make('td', { ...properties, textContent: text });
  const gap = chunk.gap === null ? '' : `+${inWords(chunk.gap)}`;
  const panel = $('panel-chunks');
  const follows = isAtEnd(panel);
  $('chunks').append(make('tr', {}, cell(String(number)), cell(inWords(chunk.at)), cell(gap), cell(grouped(chunk.bytes)), cell(chunk.begins, {})));
  if (follows) toEnd(panel);
}

function addRow(list, panel, at, tags, text) {
  if (list.childElementCount >= ROWS) return;
  const follows = isAtEnd(panel);
  const content = make('div', {}, ...tags.map(([className, words]) => make('span', { className: `tag ${className}`, textContent: words })));
  content.append(make('pre', { textContent: text }));
  list.append(make('li', {}, make('span', { className: 'at', textContent: inWords(at) }), content));
  if (follows) toEnd(panel);
}

function addEvent({ event, id, data }, at) {
  const isDone = data.trim() === '[DONE]';
  const tags = [['kind', event || 'message']];
  if (id !== null) tags.push(['', `id ${id}`]);
  if (isDone) tags.push(['done', 'the stream is done']);
  addRow($('events'), $('panel-events'), at, tags, data);
  try {
    const message = JSON.parse(data);
    if (isMessage(message)) addMessage(message, at);
  } catch { /* It is not a message. */ }
}

/** A message of JSON-RPC, such as those of MCP. */
function addMessage(message, at) {
  if ($('tab-messages').hidden) {
    $('tab-messages').hidden = false;
    choose('messages');
  }
  const id = message.id === undefined ? [] : [['', `id ${message.id}`]];
  const kind = message.method ? (message.id === undefined ? 'notification' : 'request') : message.error ? 'error' : 'result';
  const tags = [[kind === 'error' ? 'error' : 'kind', message.method ? `${kind} ${message.method}` : kind], ...id];
  const content = message.method ? message.params : message.error ?? message.result;
  addRow($('messages'), $('panel-messages'), at, tags, JSON.stringify(content ?? {}, null, 2));
}

function choose(name, focus = false) {
  for (const tab of document.querySelectorAll('[role=tab]')) {
    const isChosen = tab.id === `tab-${name}`;
    tab.setAttribute('aria-selected', String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
    $(tab.getAttribute('aria-controls')).hidden = !isChosen;
    if (isChosen && focus) tab.focus();
  }
}

function submit() {
  if (exchange?.isOpen) return;
  say('');
  const request = written();
  try { headerPairs(request.headers); } catch (error) { say(error.message); $('headers').focus(); return; }
  keepRecent(withoutPrivate(request));
  keepDraft();
  for (const id of ['chunks', 'events', 'messages', 'answer-headers']) $(id).replaceChildren();
  $('text').replaceChildren(make('span', { id: 'rest', className: 'quiet' }));
  $('answer').hidden = true;
  setText($('chunk'), HOW_TO_READ);
  $('tab-events').hidden = $('tab-messages').hidden = true;
  choose('body');
  $('send').disabled = true;
  $('cancel').disabled = false;
  exchange = new Exchange(request);
  exchange.run();
  draw();
  requestAnimationFrame(tick);
}

const cancel = () => { if (exchange?.isOpen) exchange.abort.abort(); };

function tick() {
  if (!exchange?.isOpen) return;
  draw();
  setTimeout(() => requestAnimationFrame(tick), 100);
}

/* Facts and time line. */

function facts() {
  const { head, chunks, bytes, gap, ended } = exchange;
  const first = chunks[0];
  const list = [];
  if (head) list.push(['status', String(head.status)], ['head', inWords(head.at)]);
  if (first) list.push(['first byte', inWords(first.at)]);
  if (head) list.push(['chunks', grouped(chunks.length)], ['bytes', grouped(bytes)]);
  if (gap) list.push(['longest gap', `${inWords(gap.to - gap.from)} at ${inWords(gap.from)}`]);
  list.push(['in all', inWords(ended ?? exchange.elapsed())]);
  return list;
}

function words() {
  if (exchange.isOpen) return exchange.head ? 'The response is arriving…' : 'Waiting for the response…';
  if (exchange.fault) return exchange.fault.join('\n');
  if (exchange.cancelled) return 'Cancelled.';
  return `Complete: ${counted(exchange.chunks.length, 'chunk')}, ${counted(exchange.bytes, 'byte')} in ${inWords(exchange.ended)}.`;
}

function setText(element, text) { if (element.textContent !== text) element.textContent = text; }

let isDue = false;

/** Chunks may come faster than a screen shows them. */
function drawSoon() {
  if (!isDue) requestAnimationFrame(() => { isDue = false; draw(); });
  isDue = true;
}

function draw() {
  if (!exchange) return;
  setText($('answer-words'), words());
  $('answer-words').className = `summary ${exchange.fault ? 'bad' : 'quiet'}`;
  const list = facts();
  $('facts').hidden = false;
  const status = exchange.head?.status;
  $('facts').replaceChildren(...list.map(([name, value]) => {
    const className = name === 'status' ? (status < 400 ? 'verified' : 'failed') : '';
    return make('div', {}, make('dt', { textContent: name }), make('dd', { textContent: value, className }));
  }));
  if (exchange.head) drawLine(list);
}

/** The time at the right end of the line. */
const span = () => Math.max(1, exchange.ended ?? Math.max(exchange.elapsed(), exchange.chunks.at(-1)?.at ?? 0));

const EDGE = 10;
const TOP = 8;
const AXIS = 20;

function drawLine(list) {
  const canvas = $('line');
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width) return;
  if (canvas.width !== Math.round(width * ratio)) { canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio); }
  const pen = canvas.getContext('2d');
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const all = span(), base = height - AXIS;
  const x = (at) => EDGE + (at / all) * (width - 2 * EDGE);
  const { gap, chunks } = exchange;
  if (gap && gap.to - gap.from >= all / 50) {
    pen.fillStyle = colour('--gap');
    pen.fillRect(x(gap.from), TOP - 4, x(gap.to) - x(gap.from), base - TOP + 4);
  }
  drawAxis(pen, all, x, base, width, colour);
  const most = Math.log1p(chunks.reduce((most, chunk) => Math.max(most, chunk.bytes), 1));
  pen.fillStyle = colour('--bar');
  const tall = (chunk) => 8 + (base - TOP - 12) * (Math.log1p(chunk.bytes) / most);
  for (const chunk of chunks) pen.fillRect(x(chunk.at) - 1, base - tall(chunk), 2, tall(chunk));
  if (chunks.length) {
    pen.fillStyle = colour('--first');
    pen.fillRect(x(chunks[0].at) - 1, base - tall(chunks[0]), 2, tall(chunks[0]));
  }
  const picked = chunks[exchange.selected];
  if (picked) {
    pen.strokeStyle = colour('--ink');
    pen.lineWidth = 1.5;
    pen.strokeRect(x(picked.at) - 3, base - tall(picked) - 2, 6, tall(picked) + 2);
  }
  canvas.setAttribute('aria-label', `Time line of the response's chunks: ${list.map((fact) => fact.join(' ')).join(', ')}`);
}

function drawAxis(pen, all, x, base, width, colour) {
  const rough = all / Math.max(2, Math.floor(width / 110));
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * ten).find((step) => step >= rough);
  pen.strokeStyle = colour('--grid');
  pen.fillStyle = colour('--quiet');
  pen.lineWidth = 1;
  pen.font = '11px system-ui, sans-serif';
  pen.textAlign = 'center';
  for (let at = 0; at <= all * 1.0001; at += step) {
    pen.beginPath();
    pen.moveTo(Math.round(x(at)) + 0.5, TOP - 4);
    pen.lineTo(Math.round(x(at)) + 0.5, base);
    pen.stroke();
    const text = step < 1 ? `${at.toFixed(1)} ms` : all < 2000 ? `${Math.round(at)} ms` : `${+(at / 1000).toFixed(1)} s`;
    pen.textAlign = at === 0 ? 'left' : x(at) > width - 30 ? 'right' : 'center';
    pen.fillText(text, at === 0 ? 4 : Math.min(x(at), width - 4), base + 14);
  }
  pen.beginPath();
  pen.moveTo(EDGE, base + 0.5);
  pen.lineTo(width - EDGE, base + 0.5);
  pen.stroke();
}

function select(nth) {
  const { chunks } = exchange ?? { chunks: [] };
  if (!chunks.length) return;
  exchange.selected = Math.max(0, Math.min(chunks.length - 1, nth));
  const chunk = chunks[exchange.selected];
  const gap = chunk.gap === null ? '' : `, ${inWords(chunk.gap)} after the one before`;
  setText($('chunk'), `Chunk ${exchange.selected + 1} of ${chunks.length} at ${inWords(chunk.at)}${gap}: ${grouped(chunk.bytes)} bytes: ${chunk.begins}`);
  draw();
}

function selectAt(event) {
  if (!exchange?.chunks.length) return;
  const box = $('line').getBoundingClientRect();
  const at = ((event.clientX - box.left - EDGE) / (box.width - 2 * EDGE)) * span();
  const distance = (chunk) => Math.abs(chunk.at - at);
  select(exchange.chunks.reduce((best, chunk, nth, all) => (distance(chunk) < distance(all[best]) ? nth : best), 0));
}

/* What `dev` does. */

let phase = { phase: 'waiting' };
let round = 0;

function showState(state) {
  phase = state;
  setText($('app'), state.app ? `${state.app} · lamstream dev` : 'lamstream dev');
  setText($('why'), state.why.replaceAll('`', ''));
  if (state.round !== round) { round = state.round; $('output').textContent = ''; }
  showPhase();
  showFunctions(state.functions);
  showVerdicts(state.functions, state.phase);
  const failures = state.failures.map((lines) => lines.join('\n'));
  const shown = [...$('failures').children].map((pre) => pre.textContent);
  if (failures.join('\0') !== shown.join('\0')) {
    $('failures').replaceChildren(...failures.map((text) => make('pre', { tabIndex: 0, textContent: text })));
  }
  if (state.phase === 'broken') $('build').open = true;
  showReleases(state.functions);
}

function showPhase() {
  const name = phase.phase;
  const broken = phase.serves ? 'failed; the last good release keeps serving' : 'failed; nothing is served yet';
  const text = { waiting: 'connecting…', lost: 'connecting again: does `lamstream dev` still run?', gone: '`lamstream dev` has ended', building: 'building…', good: 'serving', broken }[name];
  $('phase').dataset.phase = name;
  setText($('phase-words'), text);
  document.title = `${{ building: '… ', good: '✓ ', broken: '✗ ' }[name] ?? ''}${phase.app || 'lamstream dev'}`;
}

function showVerdicts(found, now) {
  const item = ({ name, check, releases, url }) => {
    const live = releases.find((release) => release.share === 'live');
    const verdict = check ? (check.passed ? 'verified' : 'failed') : live?.verdict ?? 'unverified';
    const details = [];
    if (check?.passed) {
      if (now === 'broken') details.push('the last good release');
      details.push(`${check.what}: status ${check.status}`, `first byte ${inWords(check.first_byte)}`, `${counted(check.chunks, 'chunk')} in ${inWords(check.duration)}`);
      if (check.streamed !== null) details.push(check.streamed ? 'streamed' : 'not streamed');
    } else if (check) details.push(check.what);
    else if (live) details.push(`version ${live.version}, from an earlier run`);
    else details.push(now === 'building' ? 'not checked yet' : 'nothing is released');
    const address = url ? make('small', { textContent: url }) : '';
    return make('li', {}, make('strong', { textContent: name }), ' ', make('span', { className: verdict, textContent: verdict }), make('small', { textContent: details.join(' · ') }), address);
  };
  $('verdicts').replaceChildren(...found.map(item));
}

function showReleases(found) {
  const parts = found.filter(({ releases }) => releases.length).flatMap(({ name, releases }) => {
    const cell = (text, className = '') => make('td', { textContent: text ?? '', className });
    const when = (at) => {
      if (!at) return '';
      const time = new Date(at.replace('+0000', 'Z'));
      const isToday = time.toDateString() === new Date().toDateString();
      return time.toLocaleString('en-GB', isToday ? { timeStyle: 'medium' } : { dateStyle: 'medium', timeStyle: 'short' });
    };
    const row = (release) => make('tr', {}, cell(release.version), cell(when(release.at)), cell(release.code?.replace(/^commit ([0-9a-f]{7})[0-9a-f]*/, '$1')), cell(release.verdict, release.verdict), cell(release.share, release.share === 'live' ? 'verified' : ''));
    const heads = ['version', 'published', 'commit', 'check', ''].map((text) => make('th', { scope: 'col', textContent: text }));
    const table = make('table', {}, make('thead', {}, make('tr', {}, ...heads)), make('tbody', {}, ...releases.map(row)));
    return found.length > 1 ? [make('h3', { textContent: name }), table] : [table];
  });
  if (parts.length) $('releases').replaceChildren(...parts);
}

function showLog({ function: name, at, text }) {
  $('no-log')?.remove();
  const log = $('log');
  const follows = isAtEnd(log);
  const line = make('p', {}, make('time', { textContent: clock(at) }), functions.length > 1 ? make('b', { textContent: name }) : '', text);
  line.hidden = !matches(line);
  log.append(line);
  while (log.childElementCount > LOG_LINES) log.firstElementChild.remove();
  if (follows) toEnd(log);
}

const matches = (line) => line.textContent.toLowerCase().includes($('filter').value.toLowerCase());

function showOutput(line) {
  if (line.round !== round) return;
  const follows = isAtEnd($('output'));
  $('output').append(`${line.text}\n`);
  if (follows) toEnd($('output'));
}

function listen() {
  const feed = new EventSource('feed');
  const on = (kind, show) => feed.addEventListener(kind, (event) => show(JSON.parse(event.data)));
  on('state', showState);
  on('log', showLog);
  on('build', showOutput);
  // A connection that breaks is opened again, unless the server is gone.
  let before = null;
  feed.onerror = () => { before ??= phase; phase = { ...phase, phase: feed.readyState === EventSource.CLOSED ? 'gone' : 'lost' }; showPhase(); };
  feed.onopen = () => { if (before) { phase = before; before = null; showPhase(); } };
}

/* Keys and buttons. */

function start() {
  const draft = remembered.tab.read() ?? remembered.draft.read();
  if (draft) fill(draft);
  showRecent();
  $('form').addEventListener('submit', (event) => { event.preventDefault(); submit(); });
  $('form').addEventListener('input', keepDraft);
  $('function').addEventListener('change', showReady);
  $('cancel').addEventListener('click', cancel);
  $('copy').addEventListener('click', copyAsCurl);
  $('forget').addEventListener('click', () => { Object.values(remembered).forEach((kept) => kept.drop()); showRecent(); });
  $('recent').addEventListener('change', () => {
    const request = remembered.recent.read()?.[$('recent').value];
    if (request) fill(request);
    $('recent').value = '';
  });
  $('clear').addEventListener('click', () => $('log').replaceChildren());
  $('filter').addEventListener('input', () => { for (const line of $('log').children) line.hidden = !matches(line); });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); submit(); }
    if (event.key === 'Escape') cancel();
  });
  $('line').addEventListener('pointermove', selectAt);
  $('line').addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined || !exchange) return;
    event.preventDefault();
    select(exchange.selected + step);
  });
  document.querySelector('[role=tablist]').addEventListener('click', (event) => { if (event.target.role === 'tab') choose(event.target.id.slice(4)); });
  document.querySelector('[role=tablist]').addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const tabs = [...document.querySelectorAll('[role=tab]:not([hidden])')];
    if (!step) return;
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    choose(next.id.slice(4), true);
  });
  window.addEventListener('resize', draw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  listen();
}

start();
