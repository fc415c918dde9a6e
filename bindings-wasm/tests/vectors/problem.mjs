// The vectors of `problem`.
import { silkline } from '../package.mjs';
import { body, bodyText, checkKeys, micros, outcome, told } from './given.mjs';

export const operations = {
  'problem.build'(given) {
    checkKeys(given, ['type', 'title', 'status', 'detail', 'instance', 'members']);
    const pairs = (given.members ?? []).map(([name, json]) => [name, bodyText(json)]);
    return outcome(() => {
      const document = silkline.buildProblem({ ...given, members: undefined, memberTexts: pairs });
      return JSON.parse(document);
    });
  },
  'problem.read'(given) {
    checkKeys(given, ['body']);
    return outcome(() => problemJson(silkline.readProblem(body(given.body))));
  },
};

/** A problem as the vectors show it. */
export const problemJson = ({ retryDelay, ...others }) =>
  told({ ...others, retry_delay_us: micros(retryDelay) });
