// Items for pages of which a test says nothing.
'use strict';

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

exports.plausible = plausible;
