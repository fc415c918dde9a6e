// All of the package, for both entries; the build makes one file of it, `wasm/silkline.cjs`. The glue
// of the modules that are started later is beside it, and takes the border from here.
'use strict';

module.exports = {
  ...require('./lib/border.cjs'),
  api: require('./api.cjs'),
  start: require('./lib/start.cjs').start,
};
