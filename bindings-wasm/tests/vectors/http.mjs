// The vectors of `http`.
import { silkline } from '../package.mjs';
import { checkKeys, headersJson, micros, outcome } from './given.mjs';

const { basicAuthorization, basicCredentials, ExtractionApi, HeaderList } = silkline;

export const operations = {
  'http.basic'(given) {
    checkKeys(given, ['key']);
    return outcome(() => basicAuthorization(given.key));
  },
  'http.basic_credentials'(given) {
    checkKeys(given, ['value']);
    const found = basicCredentials(given.value);
    return found && [found.user, found.password];
  },
  'http.date'(given) {
    checkKeys(given, ['text']);
    const millis = silkline.parseHttpDate(given.text);
    return millis && millis / 1000;
  },
  'http.endpoint'(given) {
    checkKeys(given, ['endpoint']);
    return outcome(() => new ExtractionApi({ apiKey: 'key', endpoint: given.endpoint }).endpoint);
  },
  'http.headers'(given) {
    checkKeys(given, ['pairs']);
    return outcome(() => headersJson(HeaderList.checked(given.pairs)));
  },
  'http.headers_get'(given) {
    checkKeys(given, ['pairs', 'name']);
    const headers = HeaderList.from(given.pairs);
    return { first: headers.get(given.name), all: headers.getAll(given.name) };
  },
  'http.retry_after'(given) {
    checkKeys(given, ['headers']);
    return micros(silkline.retryAfter(given.headers));
  },
};
