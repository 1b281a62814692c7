// The readers that are npm packages, over the golden reports, the examples and the packages of this repository. It prints a line
// for each, and throws at the first thing that one of them reads otherwise than it was meant.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const [root, tools] = process.argv.slice(2);
const require = createRequire(path.join(tools, 'package.json'));
const golden = path.join(root, 'tests/golden');
const text = (name) => fs.readFileSync(path.join(root, name), 'utf8');
const reports = (ending) =>
  fs.readdirSync(golden).filter((name) => name.endsWith(ending)).map((name) => [name, fs.readFileSync(path.join(golden, name), 'utf8')]);
const said = (name, what) => {
  const { version } = JSON.parse(fs.readFileSync(path.join(tools, 'node_modules', name, 'package.json'), 'utf8'));
  console.log(`${name} ${version}: ${what}`);
};

function dotenv() {
  let count = 0;
  for (const [name, file] of reports('.env')) {
    const due = Object.fromEntries(file.trimEnd().split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)));
    assert.deepEqual({ ...require('dotenv').parse(file) }, due, name);
    count += Object.keys(due).length;
  }
  assert(count > 50);
  said('dotenv', `${count} variables`);
}

// The agent takes a command from anywhere in a line, so a line that holds one must be one of ours.
function azure() {
  const { commandFromString } = require('azure-pipelines-task-lib/taskcommand');
  const ours = ['task.setvariable', 'task.logissue', 'task.uploadsummary'];
  let count = 0;
  for (const [name, log] of reports('.azure-log')) {
    const verdict = JSON.parse(text(`tests/golden/${name.replace('azure-log', 'json')}`)).verdict;
    const variables = {};
    for (const line of log.split(/\r\n|\r|\n/).filter((line) => line.includes('##vso['))) {
      assert(line.startsWith('##vso['), `${name}: ${line}`);
      const { command, properties, message } = commandFromString(line);
      assert(ours.includes(command), `${name}: ${line}`);
      if (command === 'task.setvariable') {
        assert.equal(properties.isoutput, 'true');
        variables[properties.variable] = message;
      }
      count += 1;
    }
    assert.equal(variables.MAESTRO_GATE_VERDICT, verdict, name);
  }
  said('azure-pipelines-task-lib', `${count} commands`);
}

// The toolkit writes the same bytes for the same annotations and outputs.
async function actions() {
  const core = await import(require.resolve('@actions/core'));
  const written = (write) => {
    let output = '';
    const stdout = process.stdout.write;
    process.stdout.write = (chunk) => ((output += chunk), true);
    try {
      write();
    } finally {
      process.stdout.write = stdout;
    }
    return output.trimEnd();
  };
  const escapes = { '%0A': '\n', '%0D': '\r', '%3A': ':', '%2C': ',', '%25': '%' };
  const plain = (value) => value.replaceAll(/%(0A|0D|3A|2C|25)/g, (escape) => escapes[escape]);
  let annotations = 0;
  for (const [name, log] of reports('.github-log')) {
    for (const [line, kind, title, message] of log.matchAll(/^::(error|warning|notice) title=(.*?)::(.*)$/gm)) {
      assert.equal(written(() => core[kind](plain(message), { title: plain(title) })), line, name);
      annotations += 1;
    }
  }
  let outputs = 0;
  for (const [name, file] of reports('.github-output')) {
    const delimiter = file.match(/^verdict<<(\S+)$/m)[1];
    const entry = new RegExp(`^([a-z-]+)<<${delimiter}\n(?:([\\s\\S]*?)\n)?${delimiter}\n`, 'gm');
    const target = path.join(fs.mkdtempSync('/tmp/consumers-'), 'output');
    fs.writeFileSync(target, '');
    process.env.GITHUB_OUTPUT = target;
    for (const [, output, value] of file.matchAll(entry)) {
      core.setOutput(output, value ?? '');
      outputs += 1;
    }
    const theirs = fs.readFileSync(target, 'utf8').replaceAll(/ghadelimiter_[0-9a-f-]{36}/g, delimiter);
    assert.equal(file, theirs, name);
    fs.rmSync(path.dirname(target), { recursive: true });
  }
  assert(annotations >= 2 && outputs > 100);
  said('@actions/core', `${annotations} annotations and ${outputs} outputs, byte for byte`);
}

// What GitHub draws in a summary or a page.
async function mermaid() {
  const { JSDOM } = require('jsdom');
  const { window } = new JSDOM('');
  Object.assign(globalThis, { window, document: window.document });
  const parser = (await import(path.join(tools, 'node_modules/mermaid/dist/mermaid.core.mjs'))).default;
  const pages = fs.readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => [name, text(`docs/${name}`)]);
  let count = 0;
  for (const [name, page] of [...reports('.md'), ...pages]) {
    for (const [, chart] of page.matchAll(/^```mermaid\n([\s\S]*?)^```$/gm)) {
      assert.ok(await parser.parse(chart), name);
      count += 1;
    }
  }
  assert(count >= 2);
  said('mermaid', `${count} charts parsed`);
}

function xunitViewer() {
  const program = path.join(tools, 'node_modules/xunit-viewer/bin/xunit-viewer.js');
  const page = path.join(tools, 'page.html');
  let cases = 0;
  // One at a time: it merges suites of the same name.
  for (const name of ['passed.xml', 'failed.xml', 'several.xml', 'unreachable.xml', 'first.xml']) {
    fs.rmSync(page, { force: true });
    const file = path.join(golden, name);
    const log = execFileSync(process.execPath, [program, '-r', file, '-o', page, '-c', '--no-color'], { encoding: 'utf8' });
    const shown = (word) => Number(log.match(new RegExp(`(\\d+) ${word}`, 'g'))?.at(-1).split(' ')[0] ?? 0);
    const due = { failure: 0, error: 0, skipped: 0 };
    for (const [, failures, errors, skipped] of fs.readFileSync(file, 'utf8').matchAll(/<testsuite [^>]*failures="(\d+)" errors="(\d+)" skipped="(\d+)"/g)) {
      due.failure += Number(failures);
      due.error += Number(errors);
      due.skipped += Number(skipped);
    }
    for (const [word, count] of Object.entries(due)) assert.equal(shown(word), count, `${name}: ${word}\n${log}`);
    assert(fs.existsSync(page), log);
    cases += shown('passed') + shown('failure') + shown('error') + shown('skipped');
  }
  said('xunit-viewer', `${cases} cases`);
}

// Custom resources, by the schemas of the tools' own definitions.
async function kubernetes() {
  const yaml = require('yaml');
  const kinds = {
    AnalysisTemplate: ['argo-rollouts', 'argoproj.io/v1alpha1'],
    Rollout: ['argo-rollouts', 'argoproj.io/v1alpha1'],
    WorkflowTemplate: ['argo-workflows', 'argoproj.io/v1alpha1'],
    Kustomization: ['flux-cd', 'kustomize.toolkit.fluxcd.io/v1'],
  };
  const models = path.join(tools, 'node_modules/@kubernetes-models');
  const model = async (kind) => (await import(path.join(models, ...kinds[kind], `${kind}.js`)))[kind];
  const count = {};
  for (const file of ['kubernetes/argo-rollouts.yml', 'kubernetes/flux.yml', 'ci/argo.yml']) {
    for (const document of yaml.parseAllDocuments(text(`examples/${file}`))) {
      const { apiVersion, kind, ...rest } = document.toJS();
      // Argo names the container itself; the schema is that of a Pod's.
      for (const { container } of rest.spec.templates ?? []) container.name ??= 'main';
      const Model = await model(kind);
      const resource = new Model(rest);
      assert.equal(resource.apiVersion, apiVersion, file);
      resource.validate();
      const spoilt = { ...rest.spec, metrics: 1, templates: 1, interval: {}, strategy: 1 };
      assert.throws(() => new Model({ ...rest, spec: spoilt }).validate(), undefined, `${kind} accepts anything`);
      count[kinds[kind][0]] = (count[kinds[kind][0]] ?? 0) + 1;
    }
  }
  for (const name of ['argo-rollouts', 'argo-workflows', 'flux-cd']) said(`@kubernetes-models/${name}`, `${count[name]} resources`);
}

function tekton() {
  const linter = path.join(tools, 'node_modules/.bin/tekton-lint');
  execFileSync(process.execPath, [fs.realpathSync(linter), path.join(root, 'examples/ci/tekton.yml')], { encoding: 'utf8' });
  said('@ibm/tekton-lint', '1 Task');
}

dotenv();
azure();
await actions();
await mermaid();
xunitViewer();
await kubernetes();
tekton();
