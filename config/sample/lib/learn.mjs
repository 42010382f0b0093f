// L2-regularised logistic regression by cyclic coordinate descent with Newton steps (Zhang and Oles 2001, as in BBR by
// Genkin, Lewis and Madigan 2007), and forward selection of rows. No randomness.

/**
 * samples: [{ label: 1|0, weight, fired: [column…] }], signs: per column +1 or -1, the only sign its weight may have
 * → { intercept, weights } in logits.
 */
export function fit(samples, signs, ridge, start) {
  const columns = signs.length;
  const n = samples.length;
  const y = Float64Array.from(samples, (sample) => sample.label);
  const s = Float64Array.from(samples, (sample) => sample.weight);
  const rowsOf = Array.from({ length: columns }, () => []);
  samples.forEach((sample, i) => sample.fired.forEach((column) => rowsOf[column].push(i)));
  const everyone = Array.from({ length: n }, (_, i) => i);
  const weights = start ? Float64Array.from(start.weights) : new Float64Array(columns);
  let intercept = start ? start.intercept : 0;
  const logit = Float64Array.from(samples, (sample) => sample.fired.reduce((sum, column) => sum + weights[column], intercept));

  const step = (rows, penalty, at, sign) => {
    let gradient = penalty * at;
    let curvature = penalty;
    for (const i of rows) {
      const p = 1 / (1 + Math.exp(-logit[i]));
      gradient += s[i] * (p - y[i]);
      curvature += s[i] * Math.max(p * (1 - p), 1e-4);
    }
    let change = Math.max(-1, Math.min(1, -gradient / curvature));
    if (sign * (at + change) < 0) change = -at;
    for (const i of rows) logit[i] += change;
    return change;
  };
  for (let sweep = 0; sweep < 200; sweep++) {
    const shift = step(everyone, 1e-6, intercept, 0);
    intercept += shift;
    let largest = Math.abs(shift);
    for (let column = 0; column < columns; column++) {
      if (rowsOf[column].length === 0) continue;
      const change = step(rowsOf[column], ridge, weights[column], signs[column]);
      weights[column] += change;
      largest = Math.max(largest, Math.abs(change));
    }
    if (largest < 1e-3) break;
  }
  return { intercept, weights };
}

// Above this share of common error two rows explain the same requests.
const SAME = 0.5;

/**
 * Forward selection: adds, one at a time, the column whose weight would lower the loss most (score test: squared gradient
 * over curvature) and fits all chosen weights again. Skips a column when its remaining error lies on the samples of a
 * chosen one (Jaccard index weighted by error over a half): ridge would otherwise split one weight over many copies.
 */
export function select(samples, signs, target, ridge) {
  const rowsOf = signs.map(() => []);
  samples.forEach((sample, i) => sample.fired.forEach((column) => rowsOf[column].push(i)));
  const firing = rowsOf.map((rows) => new Set(rows));
  const narrowed = samples.map(({ label, weight }) => ({ label, weight, fired: [] }));
  const chosen = [];
  const free = new Set(signs.keys());
  let model = fit(narrowed, [], ridge);
  while (chosen.length < target) {
    const p = narrowed.map(({ fired }) => 1 / (1 + Math.exp(-fired.reduce((sum, at) => sum + model.weights[at], model.intercept))));
    const error = samples.map(({ label, weight }, i) => weight * Math.abs(label - p[i]));
    const mass = (rows) => rows.reduce((sum, i) => sum + error[i], 0);
    const same = (a, b) => {
      const common = mass(rowsOf[a].filter((i) => firing[b].has(i)));
      return common > SAME * (mass(rowsOf[a]) + mass(rowsOf[b]) - common);
    };
    const gains = [...free].map((column) => {
      let gradient = 0;
      let curvature = ridge;
      for (const i of rowsOf[column]) {
        gradient += samples[i].weight * (samples[i].label - p[i]);
        curvature += samples[i].weight * p[i] * (1 - p[i]);
      }
      return { column, gain: signs[column] * gradient > 0 ? (gradient * gradient) / curvature : 0 };
    });
    const best = gains
      .filter(({ gain }) => gain > 0)
      .sort((a, b) => b.gain - a.gain || a.column - b.column)
      .find(({ column }) => !chosen.some((other) => same(column, other)));
    if (best === undefined) break;
    free.delete(best.column);
    for (const i of rowsOf[best.column]) narrowed[i].fired.push(chosen.length);
    chosen.push(best.column);
    model = fit(narrowed, chosen.map((column) => signs[column]), ridge, { intercept: model.intercept, weights: [...model.weights, 0] });
  }
  return { chosen, ...model };
}
