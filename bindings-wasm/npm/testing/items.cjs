// What is on the pages of a test.
'use strict';

const { zyteApi } = require('../index.cjs');

/** A page that a test makes, with more than its item. */
class Page {
  constructor(parts) {
    const { item, itemNative, webPage = { inLanguages: [{ code: 'en' }] }, html = null } = parts;
    this.item = item;
    this.itemNative = itemNative;
    this.webPage = webPage;
    this.html = html;
  }
}

/** The item of a page in the older schema. */
function itemOf({ item, itemNative }, pageType) {
  return item ?? zyteApi.fromZyteApi(pageType, itemNative).itemJson;
}

/** The same in Zyte API's. */
function nativeOf({ item, itemNative }, pageType) {
  return itemNative ?? zyteApi.toZyteApi(pageType, item).itemJson;
}

/** A small item of the type that the query asks for, the same for the same page. */
function plausible({ url, pageType }) {
  const name = `The page at ${url}`;
  const text = 'This was written for a test.';
  const some = {
    article: { headline: name, articleBody: text, inLanguage: 'en' },
    articleList: { articles: [{ headline: name, url }] },
    comments: { comments: [{ text, author: { name: 'A tester' } }] },
    forumPosts: { topic: { name }, posts: [{ text }] },
    jobPosting: { title: name, description: text },
    product: { name, sku: '1', offers: [{ price: '10.00', currency: '$' }] },
    productList: { products: [{ name, url }] },
    realEstate: { name, description: text },
    reviews: { reviews: [{ name, reviewBody: text, reviewRating: { ratingValue: 5 } }] },
    vehicle: { name, description: text },
  };
  return { url, probability: 0.95, ...some[pageType] };
}

exports.itemOf = itemOf;
exports.nativeOf = nativeOf;
exports.Page = Page;
exports.plausible = plausible;
