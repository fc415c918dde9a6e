// The vectors of `zyte_api`.
import { silkline } from '../package.mjs';
import { body, checkKeys, outcome } from './given.mjs';

const converted = (convert) => (given) => {
  checkKeys(given, ['page_type', 'item']);
  return outcome(() => {
    const { item, unmapped } = convert(given.page_type, body(given.item));
    return { item, unmapped: unmapped.map(({ path, value }) => [path, value]) };
  });
};

const text = (convert) => (given) => {
  checkKeys(given, ['page_type', 'item']);
  return outcome(() => {
    const { itemJson, unmapped } = convert(given.page_type, body(given.item));
    return { item: itemJson, unmapped: unmapped.map(({ path, valueJson }) => [path, valueJson]) };
  });
};

export const operations = {
  'zyte_api.from_zyte_api': converted(silkline.zyteApi.fromZyteApi),
  'zyte_api.from_zyte_api_text': text(silkline.zyteApi.fromZyteApi),
  'zyte_api.to_zyte_api': converted(silkline.zyteApi.toZyteApi),
  'zyte_api.to_zyte_api_text': text(silkline.zyteApi.toZyteApi),
};
