import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { blocksOf, commandsOf, type DocBlock, patternOf } from '../support/doc-blocks.ts';
import { type Origin, routes, sends, startOrigin } from '../support/origin.ts';
import { findPythonWith, missingIn } from '../support/python.ts';
import { type Run, run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { findProgram } from '../support/tools.ts';

/*
 * Every example of every page, run as its reader would run it: in a folder that has the checkout's files, against both
 * services. Blocks that cannot run here are listed below with a reason.
 */

const root = fileURLToPath(new URL('../../', import.meta.url));

const pages = ['.', 'docs', 'docs/decisions', 'examples', 'manifests', 'bench', 'test/fixtures'].flatMap(
  (folder) =>
    readdirSync(join(root, folder))
      .filter((file) => file.endsWith('.md'))
      .map((file) => join(folder, file)),
);
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8');

/** Pages whose blocks another test runs. */
const runElsewhere: Readonly<Record<string, string>> = {
  'docs/cli.md': 'test/end-to-end/client-docs.test.ts',
  // Without a cluster: values are rendered, and so is each installation.
  'docs/helm.md': 'test/charts/docs.test.ts',
  'SECURITY.md': 'test/docs/security.test.ts',
};

/** Blocks in which each command is of one of these are not run. */
const programsNotAtHand: Readonly<Record<string, string>> = {
  kubectl: 'there is no cluster here; test/manifests checks what is applied',
  docker:
    'there is no Docker engine here; test/manifests/compose.test.ts checks the files, the gate builds the images',
  minikube: 'there is no cluster here; the container images are built by the gate',
};

/** Blocks that are not run, by their page and first line. */
const notRun: readonly { readonly page: string; readonly first: string; readonly reason: string }[] = [
  {
    page: 'docs/capacity.md',
    first: 'npm run bench -- --images ./photos',
    reason: 'it takes the machine for minutes; its tables are those of docs/performance.md',
  },
  {
    page: 'docs/capacity.md',
    first: 'image-client job --preset openai/clip-vit-base-patch32 ./photos ./out',
    reason: 'test/end-to-end/client-docs.test.ts runs jobs with a folder of photos',
  },
  {
    page: 'README.md',
    first: '# Docker: one image with both services',
    reason:
      'it installs and starts the services; test/release/package.test.ts and clean-clone.ts do so, and the gate builds the image',
  },
  {
    page: 'CONTRIBUTING.md',
    first: 'npm ci             # installs Node too, whatever the machine has',
    reason: 'the gate runs these; a test cannot run the tests',
  },
  {
    page: 'docs/compose.md',
    first: 'docker compose up --build --wait',
    reason: 'there is no Docker engine here; its curl is that of README.md',
  },
  {
    page: 'docs/compose.md',
    first: 'cat > .env <<END',
    reason:
      'there is no Docker engine here; test/manifests/compose.test.ts reads the file with these variables',
  },
  {
    page: 'docs/compose.md',
    first: 'docker compose -f compose.yaml -f compose.keys.yaml up --wait',
    reason: 'there is no Docker engine here; test/manifests/compose.test.ts loads the files',
  },
  {
    page: 'docs/compose.md',
    first: 'mkdir -p images tensors',
    reason: 'there is no Docker engine here; test/manifests/compose.test.ts runs the job without a container',
  },
  {
    page: 'docs/releasing.md',
    first: "git tag -s v0.2.0 -m 'image-service 0.2.0'",
    reason: 'it releases',
  },
  {
    page: 'docs/releasing.md',
    first: 'sha256sum --check SHA256SUMS',
    reason: 'there is no release yet',
  },
  {
    page: 'docs/air-gapped.md',
    first: 'skopeo copy --all --preserve-digests \\',
    reason: 'there is no release yet, and no registry',
  },
  {
    page: 'docs/air-gapped.md',
    first:
      'helm install image-service ./image-service-chart-0.2.0.tgz --set image.registry=registry.internal',
    reason: 'there is no cluster here; the tests of the chart render it',
  },
  {
    page: 'docs/air-gapped.md',
    first: 'npm install --cache ./npm-cache ./image-service-0.2.0.tgz',
    reason: 'test/release/package.test.ts runs it in an empty folder',
  },
  {
    page: 'docs/air-gapped.md',
    first: 'npm install --offline --cache ./npm-cache ./image-service-0.2.0.tgz',
    reason: 'test/release/package.test.ts runs it in an empty folder',
  },
  {
    page: 'docs/air-gapped.md',
    first: 'pip download --dest wheels ./image_service_client-0.2.0-py3-none-any.whl',
    reason: 'it downloads packages; the tests of clients/python build the wheel',
  },
  {
    page: 'docs/air-gapped.md',
    first: 'pip install --no-index --find-links wheels image-service-client',
    reason: 'it installs packages',
  },
  {
    page: 'docs/air-gapped.md',
    first: "unshare --net --map-root-user sh -c 'ip link set lo up; npx --no-install image-service'",
    reason: 'it runs until it is ended; test/release/package.test.ts does the same',
  },
  {
    page: 'docs/install.md',
    first: 'npm install ./image-service-0.2.0.tgz',
    reason: 'test/release/package.test.ts runs it in an empty folder',
  },
  {
    page: 'docs/install.md',
    first: 'npm run package     # in a checkout; prints image-service-0.2.0.tgz',
    reason: 'test/release/package.test.ts runs it',
  },
  {
    page: 'docs/install.md',
    first: 'npx --no-install image-client --preset openai/clip-vit-base-patch32 photo.jpg clip.npy',
    reason: 'test/release/package.test.ts runs it in an empty folder',
  },
  {
    page: 'docs/install.md',
    first: 'npx -y -p ./image-service-0.2.0.tgz image-service',
    reason: 'test/release/package.test.ts runs both',
  },
  {
    page: 'docs/install.md',
    first: 'docker build -t image-service:0.2.0 .',
    reason: 'there is no Docker engine here; the gate builds and runs the image',
  },
  {
    page: 'docs/install.md',
    first: 'pip install ./clients/python',
    reason: 'it installs a package; the tests of clients/python build the wheel and call a service',
  },
  {
    page: 'docs/install.md',
    first: 'helm install image-service ./charts/image-service',
    reason: 'there is no cluster here; the tests of the chart render it',
  },
  {
    page: 'docs/install.md',
    first: 'npm run package -- --scope @acme     # in a checkout; prints acme-image-service-0.2.0.tgz',
    reason: 'there is no registry here; test/release/package.test.ts makes the scoped package',
  },
  {
    page: 'docs/install.md',
    first: 'npm ci && npm start',
    reason: 'test/end-to-end/clean-clone.ts runs it in a fresh clone',
  },
  {
    page: 'docs/numerics.md',
    first: 'from torchvision.transforms.v2 import InterpolationMode, functional',
    reason: 'torch is too large for the gate; test/parity/make_numerics_goldens.py calls the same functions',
  },
  {
    page: 'docs/numerics.md',
    first: 'import cv2',
    reason: 'the gate has no OpenCV; test/parity/make_numerics_goldens.py calls the same functions',
  },
  {
    page: 'docs/models.md',
    first: 'python3 -m venv models',
    reason: 'takes hours, and a gigabyte of packages',
  },
  {
    page: 'docs/performance.md',
    first: 'npm run bench -- [--python PATH] [--images DIR] [--quick] [--write]',
    reason: 'takes minutes, and the brackets are for a reader',
  },
  {
    page: 'docs/kubernetes.md',
    first: 'kubectl scale deployment/image-processor --replicas=0',
    reason: 'its curls ask an API whose processors a cluster has taken away',
  },
  {
    page: 'docs/kubernetes.md',
    first: 'kubectl create namespace image-service',
    reason: 'there is no cluster here; test/docs/security.test.ts makes the files that it takes',
  },
  {
    page: 'examples/README.md',
    first: 'pip install -r examples/python/requirements.txt',
    reason:
      'it installs packages; test/end-to-end/examples.test.ts runs the programs with those that there are',
  },
  {
    page: 'examples/README.md',
    first: 'pip install -r examples/triton/requirements.txt',
    reason: 'the same, and it wants a model server',
  },
  {
    page: 'examples/README.md',
    first: 'python examples/triton/infer_open_inference.py photo.jpg detection',
    reason: 'it wants a model server; test/end-to-end/examples.test.ts runs the program',
  },
];

/** Commands that no test may run, even if a block with them is missing from the list. */
const neverRun =
  /\b(pip install|npm (ci|cit|i|install|link|start|test)|apt-get|sudo|kubectl|minikube|docker)\b/;

/** Text around a block: its preconditions, and a program that uses what it defines. */
const given: readonly {
  readonly page: string;
  readonly first: string;
  readonly before?: string;
  readonly after?: string;
}[] = [
  {
    page: 'docs/grpc.md',
    first: "import { createClient } from '@connectrpc/connect';",
    before:
      "import { openAsBlob } from 'node:fs';\nconst file = await openAsBlob('test/fixtures/sample.jpg');\n",
  },
  {
    page: 'docs/numerics.md',
    first: 'from PIL import Image, ImageOps',
    before: 'path, width, height = "photo.jpg", 64, 48\n',
  },
  {
    page: 'docs/recipes.md',
    first: 'import io',
    after: `
from fastapi.testclient import TestClient

with open("photo.jpg", "rb") as photo, TestClient(app) as caller:
    predicted = caller.post("/predict", content=photo.read())
    refused = caller.post("/predict", content=b"not an image")
assert predicted.json() == {"shape": [1, 3, 224, 224]}, predicted.text
assert (refused.status_code, refused.json()["reason"]) == (415, "FORMAT_UNSUPPORTED"), refused.text
`,
  },
];

type Runner = (block: DocBlock, program: string) => Promise<Run>;

const bash = findProgram('bash');
const python = findPythonWith('requests', 'numpy', 'PIL', 'grpc', 'grpc_tools');
let service: Service;
let origin: Origin;
let folder: string;

beforeAll(async () => {
  const photo = readFileSync(join(root, 'test/fixtures/sample.jpg'));
  origin = await startOrigin(routes({ '/cat.jpg': sends(photo, { 'content-type': 'image/jpeg' }) }));
  service = await startService({
    processor: { WORKERS: '1', URL_ALLOWED_HOSTS: `127.0.0.1:${origin.port}` },
  });
  folder = mkdtempSync(join(tmpdir(), 'docs-'));
  // Of the checkout, what examples read; what they write stays here.
  for (const entry of [
    '.ci',
    'CHANGELOG.md',
    'examples',
    'gen',
    'node_modules',
    'package.json',
    'proto',
    'src',
    'test',
  ]) {
    symlinkSync(join(root, entry), join(folder, entry));
  }
  writeFileSync(join(folder, 'photo.jpg'), photo);
  mkdirSync(join(folder, 'bin'));
  // A link would hide from Python which environment it belongs to.
  writeFileSync(join(folder, 'bin', 'python'), `#!/bin/sh\nexec '${python}' "$@"\n`, { mode: 0o755 });
});

afterAll(async () => {
  await service?.stop();
  await origin?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** A program with the addresses of this run in the place of those of the pages. */
function addressed(text: string): string {
  return text
    .replaceAll(/localhost:8080/g, new URL(service.url).host)
    .replaceAll(/localhost:50051/g, service.address)
    .replaceAll('https://images.example/', origin.url());
}

function environment() {
  const path = [
    join(folder, 'bin'),
    dirname(process.execPath),
    join(root, 'node_modules/.bin'),
    process.env.PATH,
  ];
  return {
    PATH: path.join(delimiter),
    LC_ALL: 'C.UTF-8',
    IMAGE_API_URL: service.url,
    IMAGE_PROCESSOR_URL: service.address,
    IMAGE_API_KEY: 'secret',
  };
}

function runShell(script: string): Promise<Run> {
  return run(bash ?? '', ['--norc', '-c', script], { cwd: folder, env: environment() });
}

/** A program as a file, because its imports are relative to its folder. */
function runFile(interpreter: string, extension: string): Runner {
  return ({ line }, program) => {
    const file = join(folder, `example-${line}.${extension}`);
    writeFileSync(file, program);
    return run(interpreter, [file], { cwd: folder, env: environment() });
  };
}

const runners: Readonly<Record<string, { readonly program: string | undefined; readonly run: Runner }>> = {
  sh: { program: bash, run: (_block, program) => runShell(`set -euo pipefail\n${program}`) },
  bash: { program: bash, run: (_block, program) => runShell(`set -euo pipefail\n${program}`) },
  python: { program: python, run: runFile(python ?? '', 'py') },
  ts: { program: process.execPath, run: runFile(process.execPath, 'ts') },
  js: { program: process.execPath, run: runFile(process.execPath, 'mjs') },
};

/** Blocks that are read and not run. */
const data: Readonly<Record<string, (text: string) => unknown>> = {
  '': (text) => text,
  csv: (text) => text,
  json: (text) => JSON.parse(text),
  yaml: (text) => parseYaml(text),
};

const firstLine = ({ text }: DocBlock): string => text.split('\n')[0] ?? '';

function isAbout(block: DocBlock): (entry: { readonly page: string; readonly first: string }) => boolean {
  return ({ page, first }) => page === block.page && first === firstLine(block);
}

/** Whether each command of a block runs a program that is not available. */
function wantsWhatIsNotAtHand({ text }: DocBlock): boolean {
  const commands = text.split('\n').filter((line) => /^[^\s#]/.test(line));
  return commands.every((line) => Object.keys(programsNotAtHand).includes(line.split(' ')[0] ?? ''));
}

/** Programs of a block that this machine lacks. */
function missingPrograms({ language, text }: DocBlock): string[] {
  if (language !== 'sh' && language !== 'bash' && language !== 'console') return [];
  const words = new Set(text.split(/[\s()|&;]+/));
  const wanted = ['curl', 'grpcurl', 'jq', 'openssl'].filter((name) => words.has(name));
  const wantsPython = words.has('python') && python === undefined ? ['python with its packages'] : [];
  return [...wanted.filter((name) => findProgram(name) === undefined), ...wantsPython];
}

/** Modules that a block of Python imports. */
function importsOf({ language, text }: DocBlock): string[] {
  if (language !== 'python') return [];
  const statements = text.matchAll(/^(?:from (\w+)[\w.]* import|import (\w[\w., ]*))/gm);
  return [...statements].flatMap(([, from, imported = '']) =>
    from === undefined ? imported.split(',').map((name) => name.trim().split(/[. ]/)[0] ?? '') : [from],
  );
}

const blocks = pages.flatMap((page) => blocksOf(page, textOf(page)));
const missingModules = python === undefined ? [] : missingIn(python, blocks.flatMap(importsOf));
const examples = blocks.filter(
  (block) =>
    !(block.language in data) &&
    runElsewhere[block.page] === undefined &&
    !wantsWhatIsNotAtHand(block) &&
    !notRun.some(isAbout(block)),
);

describe.skipIf(bash === undefined)('the examples of the pages', () => {
  it.for(examples.map((block) => [`${block.page}:${block.line}`, block] as const))(
    '%s',
    async ([, block], { skip }) => {
      const missing = [
        ...missingPrograms(block),
        ...importsOf(block).filter((name) => missingModules.includes(name)),
      ];
      expect(block.text, 'put it on the list of what is not run').not.toMatch(neverRun);
      if (missing.length > 0) return skip(`there is no ${missing.join(', ')}`);
      const { before = '', after = '' } = given.find(isAbout(block)) ?? {};
      if (block.language === 'console') {
        const commands = commandsOf(block.text);
        expect(commands.length).toBeGreaterThan(0);
        for (const { command, expected } of commands) {
          const printed = await runShell(`exec 2>&1; ${addressed(command)}`);
          const text = printed.stdout.toString().replaceAll('\r\n', '\n');
          expect(text, command).toMatch(patternOf(addressed(expected)));
          if (!expected.includes('"code": "')) expect(printed.code, command).toBe(0);
        }
        return;
      }
      const runner = runners[block.language];
      if (runner === undefined) throw new Error(`nothing runs ${block.language}`);
      if (runner.program === undefined) return skip(`nothing here runs ${block.language} with its packages`);
      const printed = await runner.run(block, before + addressed(block.text) + after);
      expect(printed.code, printed.stderr + printed.stdout).toBe(0);
      if (block.output !== undefined) {
        expect(printed.stdout.toString()).toMatch(patternOf(addressed(block.output)));
      }
    },
  );
});

describe('the pages', () => {
  it('have examples', () => {
    expect(examples.length).toBeGreaterThan(20);
  });

  it('have blocks that are run, are data, or are on a list with the reason', () => {
    const known = (block: DocBlock) =>
      block.language in data ||
      block.language in runners ||
      block.language === 'console' ||
      runElsewhere[block.page] !== undefined;
    expect(blocks.filter((block) => !known(block))).toEqual([]);
  });

  it('have what the lists name', () => {
    const isThere = (entry: { readonly page: string; readonly first: string }) =>
      blocks.some((block) => isAbout(block)(entry));
    expect([...notRun, ...given].filter((entry) => !isThere(entry))).toEqual([]);
  });

  it('show data that can be read', () => {
    for (const block of blocks) expect(() => data[block.language]?.(block.text)).not.toThrow();
  });

  it('name npm scripts that there are', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    const named = pages.flatMap((page) =>
      [...textOf(page).matchAll(/npm run (?:-s )?([\w:]+)/g)].map(([, script = '']) => [page, script]),
    );
    expect(named.filter(([, script = '']) => scripts[script] === undefined)).toEqual([]);
  });

  it('link to pages and headings that there are', () => {
    const broken = pages.flatMap((page) =>
      linksOf(textOf(page)).flatMap((link) => {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : join(dirname(page), path);
        try {
          if (anchor === undefined) readdirOrFile(target);
          else if (!anchorsOf(textOf(target)).has(anchor)) return [`${page}: ${link}`];
          return [];
        } catch {
          return [`${page}: ${link}`];
        }
      }),
    );
    expect(broken).toEqual([]);
  });
});

/** The relative links of a page, without those in its blocks. */
function linksOf(markdown: string): string[] {
  const prose = markdown.replaceAll(/^( *)```.*?^\1```/gms, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

/** The names that a page's headings have in links: small letters, no punctuation, dashes for spaces. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function readdirOrFile(path: string): void {
  try {
    readdirSync(join(root, path));
  } catch {
    readFileSync(join(root, path));
  }
}
