/*
 * Blocks of the pages that examples.test.ts does not run, each with the reason, and what other blocks need around them.
 */

/** Pages whose blocks another test runs. */
export const runElsewhere: Readonly<Record<string, string>> = {
  'docs/cli.md': 'test/end-to-end/client-docs.test.ts',
  // Without a cluster: values are rendered, and so is each installation.
  'docs/helm.md': 'test/charts/docs.test.ts',
  'SECURITY.md': 'test/docs/security.test.ts',
};

/** Blocks in which each command is of one of these are not run. */
export const programsNotAtHand: Readonly<Record<string, string>> = {
  kubectl: 'there is no cluster here; test/manifests checks what is applied',
  docker:
    'there is no Docker engine here; test/manifests/compose.test.ts checks the files, the gate builds the images',
  minikube: 'there is no cluster here; the container images are built by the gate',
};

/** Blocks that are not run, by their page and first line. */
export const notRun: readonly { readonly page: string; readonly first: string; readonly reason: string }[] = [
  {
    page: 'docs/skew-pipelines.md',
    first: 'npm run skew:pipelines -- --python python3 --name "FP16" --images 1',
    reason: "its photographs come with scikit-image and scikit-learn, which the gate's Python lacks",
  },
  {
    page: 'docs/storage.md',
    first:
      "curl -sS -D - -o cat.npy -F image=@cat.jpg 'localhost:8080/v1/images?preset=resnet-50&store=wait&store_link=600'",
    reason: 'it needs a bucket; test/end-to-end/store.test.ts keeps responses in one',
  },
  {
    page: 'docs/storage.md',
    first:
      'curl -fsS -o cat.webp -F url=s3://photos/2026/cat.jpg -F width=300 -F format=webp localhost:8080/v1/images',
    reason: 'it needs a bucket; test/end-to-end/object-sources.test.ts reads objects of one',
  },
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
    page: 'docs/python.md',
    first: 'pip install ./clients/python',
    reason: 'it installs a package; .ci/run builds the wheel and installs it into a fresh environment',
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
    first: 'npm run bench -- [--python PATH] [--imgproxy PATH] [--images DIR] [--quick | --write]',
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
export const neverRun =
  /\b(pip install|npm (ci|cit|i|install|link|start|test)|apt-get|sudo|kubectl|minikube|docker|helm)\b/;

/** Text around a block: its preconditions, and a program that uses what it defines. */
export const given: readonly {
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
    first: 'from contextlib import asynccontextmanager',
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
