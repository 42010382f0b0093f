// Training and held-out user agents. Nothing that training has seen may appear in the held-out set.
import { byText, unit } from "./prng.mjs";

const SEED = "greenlight-sample-2";
// A whole source of browsers that training never sees.
const HELD_OUT_SOURCE = "top-user-agents";
const BROWSERS_HELD_OUT = 0.35;
const FAMILIES_HELD_OUT = 0.3;
const INSTANCES_HELD_OUT = 0.2;

/**
 * Bots: 30 % of the families go to the held-out set whole ("unseen"); of every other family with three user agents or
 * more, about 20 % of them do ("seen"). Browsers: one source whole, 35 % of each other. A user agent that both sides
 * claim is dropped from both.
 */
export function split(bots, browsers) {
  const human = new Set(browsers.map((item) => item.ua));
  const once = new Map();
  for (const bot of bots) if (!once.has(bot.ua)) once.set(bot.ua, bot);
  const unique = [...once.values()].filter((bot) => !human.has(bot.ua)).sort((a, b) => byText(a.ua, b.ua));
  const kept = browsers.filter((item) => !once.has(item.ua));

  const families = groupBy(unique, (bot) => bot.family);
  const part = (bot) => {
    if (unit(SEED, `family ${bot.family}`) < FAMILIES_HELD_OUT) return "unseen";
    if (families.get(bot.family).length >= 3 && unit(SEED, `instance ${bot.ua}`) < INSTANCES_HELD_OUT) return "seen";
    return "training";
  };
  const side = (item) => (item.source === HELD_OUT_SOURCE || unit(SEED, `browser ${item.ua}`) < BROWSERS_HELD_OUT ? "heldout" : "training");
  return {
    bots: groupBy(unique, part),
    browsers: groupBy(kept, side),
    contradictory: once.size - unique.length,
    duplicates: bots.length - once.size,
  };
}

export function groupBy(list, key) {
  const groups = new Map();
  for (const item of list) {
    const name = key(item);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(item);
  }
  return groups;
}
