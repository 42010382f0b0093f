#!/usr/bin/env node
// solc.cjs kept warm: `warm-solc.cjs --listen SOCKET` holds one compiler, whose WebAssembly gets faster as it runs; called as
// forge calls a compiler, it asks the one at $WARM_SOLC. A mutant then compiles in a fraction of the time.
const net = require("node:net");

const [option, path] = process.argv.slice(2);
if (option === "--listen") {
  const solc = require("solc");
  const server = net.createServer({ allowHalfOpen: true }, (peer) => {
    const chunks = [];
    peer.on("data", (chunk) => chunks.push(chunk));
    peer.on("error", () => peer.destroy());
    peer.on("end", () => peer.end(chunks.length === 0 ? solc.version() : solc.compile(Buffer.concat(chunks).toString())));
  });
  server.listen(path, () => process.send?.("listening"));
  process.on("disconnect", () => process.exit());
} else {
  const peer = net.connect({ path: process.env.WARM_SOLC, allowHalfOpen: true });
  if (option === "--version") {
    peer.end();
    process.stdout.write("solc, the solidity compiler commandline interface\nVersion: ");
  } else {
    process.stdin.pipe(peer);
  }
  peer.pipe(process.stdout);
  peer.on("error", (error) => {
    console.error(`no compiler at ${process.env.WARM_SOLC}: ${error.message}`);
    process.exitCode = 1;
  });
}
