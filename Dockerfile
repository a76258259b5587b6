# Both services in one container, as `npm start` runs them: docker run -p 8080:8080 image-service
# Dockerfile.api and Dockerfile.processor make an image of each, to be scaled on their own.
# The Node that package.json pins for development, and no other.
ARG NODE_VERSION=26.10.0

FROM node:${NODE_VERSION}-bookworm-slim AS base
WORKDIR /app

FROM base AS build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY gen gen
COPY src src
COPY .ci/turbojpeg.ts .ci/libjpeg-turbo.txt .ci/
RUN npm run build && rm build/*.inputs && node .ci/turbojpeg.ts copy build/turbojpeg linux-$(node -p process.arch)

# With optional packages (sharp's binaries), except Node itself, which is for development. The SBOM is complete only where
# package.json names no package that is missing.
FROM base AS dependencies
COPY package.json package-lock.json .npmrc ./
# Decoders of optional formats, such as libheif-js@1.23.2; docs/numerics.md lists them with their licences.
ARG SOURCE_PACKAGES=""
RUN npm ci --omit=dev --ignore-scripts \
  && npm pkg delete devDependencies optionalDependencies peerDependencies peerDependenciesMeta \
  && npm prune --ignore-scripts \
  && if [ -n "$SOURCE_PACKAGES" ]; then npm install --ignore-scripts --save-exact $SOURCE_PACKAGES; fi
COPY .ci/third-party-notices.ts .ci/turbojpeg.ts .ci/libjpeg-turbo.txt ./
RUN npm sbom --sbom-format=cyclonedx | node turbojpeg.ts sbom > sbom.cdx.json \
  && { node third-party-notices.ts; printf '\n%080d\n\n' 0 | tr 0 -; cat libjpeg-turbo.txt; } > THIRD-PARTY-NOTICES.txt

FROM base
# image-processor is reached only from inside the container, unless PROCESSOR_HOST is set to ::.
# glibc gives each thread an arena of its own and seldom returns memory from it.
ENV NODE_ENV=production HOST=:: PORT=8080 PROCESSOR_HOST=127.0.0.1 PROCESSOR_PORT=50051 METRICS_PORT=9464 MALLOC_ARENA_MAX=2
COPY package.json ./
COPY --from=dependencies /app/sbom.cdx.json /app/THIRD-PARTY-NOTICES.txt ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/build build
COPY --from=build /app/dist dist
# By number, so that Kubernetes can see that it isn't root. The base image calls it node.
USER 1000:1000
EXPOSE 8080
# Ready, and not only alive: image-processor responds as well.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# An argument starts only one of the services: api, processor.
ENTRYPOINT ["node", "dist/image-service.js"]
ARG VERSION=0.2.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="image-service" \
  org.opencontainers.image.description="Scales images and turns them gray for ML models, over HTTP and gRPC" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
