// How Zyte API's `/v1/extract` is driven by what a test says of its pages.
'use strict';

const { ZyteApiService } = require('../index.cjs');
const { nativeOf, Page } = require('./items.cjs');

/** What the newer service calls otherwise. */
const OLDER_NAMES = { forumThread: 'forumPosts' };
/** The failures of the older service, as far as the newer one tells them otherwise. */
const FAILURES = {
  connect_timeout: 'unreachable',
  connection_reset: 'unreachable',
  redirects: 'unusable',
  refused: 'unreachable',
  short_answer: 'unreachable',
  timeout: 'unreachable',
  tls: 'unreachable',
};
/** Items whose metadata tell how probable they are. */
const WITH_PROBABILITY = ['article', 'jobPosting', 'product'];
const NOTHING_FOUND = 'no_visible_elements';

class ZyteApiHost {
  endpoint = 'http://zyte-api.test/v1/extract';

  constructor(settings) {
    this.service = new ZyteApiService(settings);
  }

  /** The page that is wanted, in the shape of the older service's queries. */
  queries({ url, item, browserHtml, method, headers, body }) {
    if (url === null) {
      return [];
    }
    const pageType = OLDER_NAMES[item] ?? item;
    const wanted = { articleBodyRaw: false, fullHtml: browserHtml, customHtml: null };
    return [{ index: 0, url, pageType, ...wanted, item, method, headers, body }];
  }

  fetched(ticket, query, outcome, now) {
    return this.service.handleFetched(ticket, pageOf(outcome, query), now);
  }
}

function pageOf(outcome, { url, pageType, item }) {
  if (typeof outcome === 'number' || outcome === NOTHING_FOUND) {
    // A page without such an item has its URL still.
    const metadata = WITH_PROBABILITY.includes(item) ? { metadata: { probability: 0 } } : {};
    const status = typeof outcome === 'number' ? outcome : 200;
    return { url, status, item: item === null ? null : { url, ...metadata } };
  }
  if (typeof outcome !== 'object') {
    return FAILURES[outcome] ?? outcome;
  }
  const page = outcome instanceof Page ? outcome : new Page({ item: outcome });
  const html = page.html ?? '<!doctype html><title>A page of a test</title>';
  return {
    url,
    status: 200,
    headers: { 'Content-Type': 'text/html; charset=utf-8' },
    body: html,
    browserHtml: html,
    item: item === null ? null : nativeOf(page, pageType),
  };
}

exports.ZyteApiHost = ZyteApiHost;
