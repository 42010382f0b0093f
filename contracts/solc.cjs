#!/usr/bin/env node
// The command line that forge expects of a compiler, over the solc that npm pins: nothing is downloaded at build time.
const solc = require("solc");

if (process.argv.includes("--version")) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
} else {
  // forge puts every source into the standard JSON, so no import callback is needed.
  process.stdout.write(solc.compile(require("fs").readFileSync(0, "utf8")));
}
