// The Automatic Extraction API inside the program, or Zyte API in its place.
'use strict';

const { ExtractionService } = require('../index.cjs');
const { clockOf } = require('./clock.cjs');
const { dialectOf } = require('./dialects.cjs');
const { answered, mistake, requestOf, responseOf } = require('./host.cjs');
const { itemOf, Page, plausible } = require('./items.cjs');
const { ZyteApiHost } = require('./zyte-api.cjs');

class FakeExtraction {
  #host;
  #service;
  #items;
  #timer;
  /** Who waits for an answer, by its ticket. */
  #waiting = new Map();

  constructor({ dialect, items = plausible, time = 'virtual', ...settings } = {}) {
    const Host = dialectOf(dialect, HOSTS);
    this.#items = itemsOf(items);
    this.clock = clockOf(time);
    this.#host = new Host(settings);
    this.#service = this.#host.service;
    this.endpoint = this.#host.endpoint;
    // Clients take it away from its object.
    this.fetch = async (input, init) => {
      const { signal, ...request } = await requestOf(input, init);
      const ask = (resolve, reject) => this.#take(request, resolve, reject);
      return responseOf(await answered(signal, ask, (ticket) => this.#gone(ticket)));
    };
  }

  stats() {
    return this.#service.stats();
  }

  #take(request, resolve, reject) {
    const step = this.#service.handleRequest(request, this.clock.now());
    if (step.type === 'answer') {
      resolve(step);
    } else {
      this.#waiting.set(step.ticket, { resolve, reject });
      for (const query of this.#host.queries(step)) {
        this.#fetch(step.ticket, query);
      }
    }
    this.#poll();
    return step.ticket;
  }

  async #fetch(ticket, query) {
    try {
      const outcome = await this.clock.during(() => this.#items(query));
      const page = outcome ?? plausible(query);
      this.#answer(this.#host.fetched(ticket, query, page, this.clock.now()));
      this.#poll();
    } catch (error) {
      this.#waiting.get(ticket)?.reject(mistake(error));
      this.#gone(ticket);
    }
  }

  #answer(answer) {
    if (answer !== null) {
      this.#waiting.get(answer.ticket)?.resolve(answer);
      this.#waiting.delete(answer.ticket);
    }
  }

  #gone(ticket) {
    if (this.#waiting.delete(ticket)) {
      this.#service.handleClosed(ticket, this.clock.now());
      this.#poll();
    }
  }

  #poll() {
    this.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    for (;;) {
      const output = this.#service.poll(this.clock.now());
      if (output.type === 'waitUntil') {
        const delay = Math.max(output.at - this.clock.now(), 0);
        this.#timer = this.clock.setTimeout(() => this.#poll(), delay);
      }
      if (output.type !== 'answer') {
        return;
      }
      this.#answer(output);
    }
  }
}

/** A function from a query to what its page holds. */
function itemsOf(items) {
  if (typeof items === 'function') {
    return items;
  }
  if (typeof items !== 'object' || items === null) {
    throw new TypeError('items must be a function, or items by the URLs of their pages');
  }
  const known = items instanceof Map ? items : new Map(Object.entries(items));
  return ({ url }) => (known.has(url) ? known.get(url) : 404);
}

/** How the Automatic Extraction API is driven. */
class ExtractionHost {
  endpoint = 'http://extraction.test/v1/extract';

  constructor(settings) {
    this.service = new ExtractionService(settings);
  }

  queries({ queries }) {
    return queries;
  }

  fetched(ticket, query, outcome, now) {
    return this.service.handleFetched(ticket, query.index, pageOf(outcome, query), now);
  }
}
const HOSTS = { automatic_extraction: ExtractionHost, zyte_api: ZyteApiHost };

function pageOf(outcome, { pageType, fullHtml, customHtml }) {
  if (typeof outcome !== 'object') {
    return outcome;
  }
  const page = outcome instanceof Page ? outcome : new Page({ item: outcome });
  const html = page.html ?? customHtml ?? '<!doctype html><title>A page of a test</title>';
  const item = itemOf(page, pageType);
  return { item, webPage: page.webPage, html: fullHtml ? html : undefined };
}

exports.FakeExtraction = FakeExtraction;
