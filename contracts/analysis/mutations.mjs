// What a mutant of a Solidity file is: one small change of its text, found through the compiler's syntax tree.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const solc = createRequire(import.meta.url)("solc");

// Comparisons: the three replacements that every other mutant of the comparison is subsumed by (Kaminski, Ammann and Offutt,
// "Improving logic-based testing", 2013). A type without an order knows but the opposite.
const COMPARISONS = {
  "<": ["<=", "!=", false],
  ">": [">=", "!=", false],
  "<=": ["<", "==", true],
  ">=": [">", "==", true],
  "==": ["<=", ">=", false],
  "!=": ["<", ">", true],
};
const OPPOSITES = { "==": "!=", "!=": "==" };
const OPERATORS = {
  "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "%": ["*"], "**": ["*"],
  "&": ["|"], "|": ["&"], "^": ["|"], "<<": [">>"], ">>": ["<<"], "&&": ["||"], "||": ["&&"],
};
const ASSIGNMENTS = { "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "|=": "&=", "&=": "|=", "^=": "|=", "<<=": ">>=", ">>=": "<<=" };
// EVM instructions of inline assembly; null stands for the first argument alone.
const INSTRUCTIONS = {
  add: ["sub"], sub: ["add"], mul: [null], div: ["mul"], mod: ["div"], addmod: ["mulmod"], mulmod: ["addmod"], and: [null],
  or: [null], xor: ["or"], shl: ["shr"], shr: ["shl"], lt: ["gt"], gt: ["lt"], eq: ["lt"], not: [null], iszero: [null],
};
// Declarations without anything to run.
const INERT = new Set([
  "PragmaDirective", "ImportDirective", "UsingForDirective", "StructDefinition", "EnumDefinition", "ErrorDefinition",
  "EventDefinition", "InheritanceSpecifier", "StructuredDocumentation", "ElementaryTypeName", "UserDefinedTypeName",
  "ArrayTypeName", "Mapping", "UserDefinedValueTypeDefinition", "OverrideSpecifier", "ParameterList",
]);

/** What the compiler says of `texts` (by path from `root`). Other imports are read from `root` and from its node_modules. */
export function compile(root, texts, settings) {
  const sources = Object.fromEntries(Object.entries(texts).map(([file, content]) => [file, { content }]));
  const input = { language: "Solidity", sources, settings };
  const find = (path) => {
    const inside = path.startsWith("@") ? `node_modules/${path}` : path;
    return { contents: readFileSync(resolve(root, inside), "utf8") };
  };
  return JSON.parse(solc.compile(JSON.stringify(input), { import: find }));
}

/** Syntax trees of `files` (paths from `root`), by path. */
export function parse(root, files) {
  const texts = Object.fromEntries(files.map((file) => [file, readFileSync(resolve(root, file), "utf8")]));
  const output = compile(root, texts, { outputSelection: { "*": { "": ["ast"] } } });
  const broken = output.errors?.find((error) => error.severity === "error");
  if (broken) throw new Error(`the sources do not compile: ${broken.formattedMessage}`);
  return Object.fromEntries(files.map((file) => [file, output.sources[file].ast]));
}

/**
 * Every mutant of one file.
 * @returns {{file: string, where: string, line: string, was: string, becomes: string, nth: number, start: number, end: number}[]}
 *   `start` and `end` are offsets in bytes, `becomes` is the text between them; the other fields name the mutant in a way
 *   that outlives changes elsewhere in the file: `nth` counts those that are named alike.
 */
export function mutantsOf(file, tree, text) {
  const bytes = Buffer.from(text);
  const found = [];
  const seen = new Map();
  const wholes = new Set();
  const ends = new Set();
  const span = (node) => {
    const [start, length] = node.src.split(":").map(Number);
    return [start, start + length];
  };
  const source = (node) => bytes.subarray(...span(node)).toString();

  function add(where, [start, end], becomes) {
    const was = bytes.subarray(start, end).toString();
    if (was === becomes) return;
    const lineStart = bytes.lastIndexOf(10, start - 1) + 1;
    const lineEnd = bytes.indexOf(10, start);
    const line = bytes.subarray(lineStart, lineEnd < 0 ? undefined : lineEnd).toString().trim();
    const name = { file, where, line, was: squeeze(was), becomes: squeeze(becomes) };
    const at = `${start}:${end}:${becomes}`;
    if (seen.has(at)) return;
    seen.set(at, true);
    const key = JSON.stringify(name);
    const nth = seen.get(key) ?? 0;
    seen.set(key, nth + 1);
    found.push({ ...name, nth, start, end, text: becomes });
  }

  /** Where the operator between two operands stands. */
  function between(left, right, operator) {
    const from = span(left)[1];
    const at = bytes.indexOf(operator, from);
    return at >= 0 && at < span(right)[0] ? [at, at + Buffer.byteLength(operator)] : null;
  }

  const visitors = {
    BinaryOperation(node, where) {
      const { leftExpression: left, rightExpression: right, operator } = node;
      const place = between(left, right, operator);
      const ordered = !/^(bool|contract|function|struct|bytes memory|string)|ArtifactId/.test(left.typeDescriptions.typeString);
      const others = COMPARISONS[operator] && !ordered ? [OPPOSITES[operator]] : COMPARISONS[operator];
      for (const other of others ?? OPERATORS[operator] ?? []) {
        if (typeof other === "boolean") wholes.has(node) || add(where, span(node), String(other));
        else if (place) add(where, place, other);
      }
      if (operator === "&&" || operator === "||") {
        add(where, span(node), `(${source(left)})`);
        add(where, span(node), `(${source(right)})`);
      }
    },
    UnaryOperation(node, where) {
      const inner = source(node.subExpression);
      if (["!", "~", "-"].includes(node.operator)) add(where, span(node), `(${inner})`);
      if (node.operator === "++") add(where, span(node), node.prefix ? `--${inner}` : `${inner}--`);
      if (node.operator === "--") add(where, span(node), node.prefix ? `++${inner}` : `${inner}++`);
    },
    Assignment(node, where) {
      const place = between(node.leftHandSide, node.rightHandSide, node.operator);
      if (place && ASSIGNMENTS[node.operator]) {
        add(where, place, ASSIGNMENTS[node.operator]);
        add(where, place, "=");
      }
    },
    Conditional(node, where) {
      add(where, span(node), `(${source(node.trueExpression)})`);
      add(where, span(node), `(${source(node.falseExpression)})`);
    },
    Literal(node, where) {
      for (const other of neighbours(node, ends.has(node) ? -1n : 1n)) add(where, span(node), other);
    },
    MemberAccess(node, where) {
      const members = enums.get(node.referencedDeclaration);
      if (!members) return;
      const place = [span(node)[1] - Buffer.byteLength(node.memberName), span(node)[1]];
      for (const other of members) if (other !== node.memberName) add(where, place, other);
    },
    FunctionCall(node, where) {
      const { arguments: args } = node;
      // A conversion to bytes of a fixed size cuts what is too long: only less is a mutant.
      if (node.kind === "typeConversion" && args[0].nodeType === "IndexRangeAccess") literals(args[0].endExpression, ends);
      if (node.names.length > 0) return;
      for (let i = 0; i + 1 < args.length; ++i) {
        const [a, b] = [args[i], args[i + 1]];
        if (a.typeDescriptions.typeString !== b.typeDescriptions.typeString) continue;
        const middle = bytes.subarray(span(a)[1], span(b)[0]).toString();
        add(where, [span(a)[0], span(b)[1]], source(b) + middle + source(a));
      }
    },
    IfStatement(node, where) {
      const { condition } = node;
      // Without the statement, its condition is as good as false, and what it would have done is not done.
      wholes.add(condition).add(soleStatement(node.trueBody));
      if (!(condition.operator in COMPARISONS) && condition.operator !== "!") {
        add(where, span(condition), `!(${source(condition)})`);
      }
      add(where, statement(node), node.falseBody ? source(node.falseBody) : "{}");
      if (node.falseBody) add(where, span(condition), "true");
    },
    ForStatement(node, where) {
      if (node.condition) add(where, span(node.condition), "false");
    },
    WhileStatement(node, where) {
      add(where, span(node.condition), "false");
    },
    Return(node, where) {
      if (!node.expression) return;
      if (node.expression.typeDescriptions.typeString === "bool") {
        for (const other of ["true", "false"]) add(where, span(node.expression), other);
      } else {
        add(where, statement(node), "{}");
      }
    },
    ExpressionStatement: remove,
    EmitStatement: remove,
    RevertStatement: remove,
    ModifierInvocation(node, where) {
      // A constructor's call of its base is no modifier.
      if (node.kind !== "baseConstructorSpecifier") add(where, span(node), "");
    },
    YulFunctionCall(node, where) {
      const { functionName: name, arguments: args } = node;
      for (const other of INSTRUCTIONS[name.name] ?? []) {
        if (other === null) add(where, span(node), source(args[0]));
        else add(where, span(name), other);
      }
      if (name.name === "and" || name.name === "or" || name.name === "mul") add(where, span(node), source(args[1]));
    },
    YulLiteral(node, where) {
      for (const other of neighbours(node)) add(where, span(node), other);
    },
    YulAssignment(node, where) {
      add(where, span(node), "{}");
    },
    YulExpressionStatement(node, where) {
      add(where, span(node), "{}");
    },
    YulIf(node, where) {
      add(where, span(node.condition), `iszero(${source(node.condition)})`);
      add(where, span(node.condition), "1");
    },
    YulSwitch(node, where) {
      for (const branch of node.cases) if (node.cases.length > 1) add(where, span(branch.body), "{}");
    },
  };

  function soleStatement(body) {
    return body.nodeType === "Block" && body.statements.length === 1 ? body.statements[0] : body;
  }
  function remove(node, where) {
    if (!wholes.has(node)) add(where, statement(node), "{}");
  }
  /** The statement with its semicolon. */
  function statement(node) {
    const [start, end] = span(node);
    return [start, bytes[end] === 0x3b ? end + 1 : end];
  }

  function visit(node, where) {
    if (Array.isArray(node)) return node.forEach((child) => visit(child, where));
    if (!node || typeof node !== "object") return;
    if (node.nodeType) {
      if (INERT.has(node.nodeType)) return;
      if (node.nodeType === "FunctionDefinition" || node.nodeType === "ModifierDefinition") where = node.name || node.kind;
      if (node.nodeType === "VariableDeclaration" && node.value) where = node.name;
      visitors[node.nodeType]?.(node, where);
    }
    for (const [key, child] of Object.entries(node)) {
      if (key !== "typeDescriptions" && key !== "typeName" && key !== "functionName") visit(child, where);
    }
  }
  visit(tree, "");
  return found;
}

const enums = new Map();
/** Learns which enumeration a member belongs to; once for all trees, before their mutants are asked for. */
export function learnEnums(trees) {
  const visit = (node) => {
    if (!node || typeof node !== "object") return;
    if (node.nodeType === "EnumDefinition") {
      const names = node.members.map((member) => member.name);
      for (const member of node.members) enums.set(member.id, names);
    }
    Object.values(node).forEach(visit);
  };
  Object.values(trees).forEach(visit);
}

/** Adds the literals of an expression to `found`. */
function literals(node, found) {
  if (node?.nodeType === "Literal") found.add(node);
  else if (node?.nodeType === "BinaryOperation") [node.leftExpression, node.rightExpression].forEach((side) => literals(side, found));
}

/** Other values of a literal: `step` more; another bit in the first, middle and last byte of a word. */
function neighbours(node, step = 1n) {
  const value = node.value;
  if (node.kind === "string") {
    if (value.length !== 1) return [];
    return [JSON.stringify(String.fromCharCode(value.charCodeAt(0) + 1))];
  }
  if (node.kind === "bool") return [value === "true" ? "false" : "true"];
  if (node.kind !== "number") return [];
  if (/^0x[0-9a-f]{32,}$/i.test(value)) {
    return [0, (value.length - 2) >> 2, (value.length >> 1) - 2].map((byte) => {
      const at = 3 + 2 * byte;
      return value.slice(0, at) + (parseInt(value[at], 16) ^ 1).toString(16) + value.slice(at + 1);
    });
  }
  if (node.subdenomination || !/^(0x[0-9a-f]+|[0-9_]+)$/i.test(value)) return [];
  const number = BigInt(value.replaceAll("_", ""));
  const write = (n) => (value.startsWith("0x") ? `0x${n.toString(16).padStart(value.length - 2, "0")}` : String(n));
  return [write(number + step)];
}

const squeeze = (text) => text.replace(/\s+/g, " ");
