// The settings file of the sidecar: JSON, every mistake named at once, none of the values repeated.
import { readFileSync } from "node:fs";

// Parsers drop blanks and mend slashes without a word, and Helios has another parser than Node.
const isUrl = (value) => typeof value === "string" && /^https?:\/\/[^/\\\s][^\s#]*$/.test(value) && URL.canParse(value);
// Node's fetch calls no URL with credentials: of its errors Helios makes a panic, or a call that never succeeds.
const isBare = ({ username, password }) => username === "" && password === "";
const takesCalls = (value) => isUrl(value) && isBare(new URL(value));
// Helios puts each route behind the whole of it.
const takesRoutes = (value) => takesCalls(value) && !value.includes("?");
const KEYS = {
  // The names that the package takes; it refuses "hoodi", though its types list it.
  network: ["one of mainnet, sepolia, holesky", (value) => ["mainnet", "sepolia", "holesky"].includes(value)],
  consensus_rpc: ["an http or https URL without user, password, query or fragment", takesRoutes],
  execution_rpc: ["an http or https URL without user, password or fragment", takesCalls],
  // Helios takes what it cannot read here for none, and falls back on one of its own.
  checkpoint: ["0x and 64 hexadecimal digits", (value) => /^0x[0-9a-fA-F]{64}$/.test(value)],
  port: ["a port, or 0 for any", (value = 8555) => Number.isInteger(value) && value >= 0 && value < 65536],
  state: ["a file name", (value = "checkpoint") => typeof value === "string" && value !== ""],
};

export function parse(text) {
  let given;
  try { given = JSON.parse(text); } catch { throw new Error("expected JSON"); } // the parser would quote it
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw new Error("expected an object");
  const wrong = Object.entries(KEYS).filter(([key, [, holds]]) => !holds(given[key])).map(([key, [wanted]]) => `${key}: expected ${wanted}`);
  const unknown = Object.keys(given).filter((key) => !Object.hasOwn(KEYS, key)).map((key) => `${key}: no such key`);
  if (wrong.length + unknown.length > 0) throw new Error([...wrong, ...unknown].join("; "));
  return { port: 8555, ...given };
}

export const read = (file) => parse(readFileSync(file, "utf8"));
