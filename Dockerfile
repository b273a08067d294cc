# One image for every process: `docker run caudex backend`, `docker run caudex chroma`, …
# For a release, pin the base by its digest: --build-arg BASE=node:24-bookworm-slim@sha256:…
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS build
# `slim`: without the embedded ChromaDB and the runtime of embedding models, for CHROMADB_URL and EMBEDDINGS_BASE_URL.
ARG PARTS=all
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY web ./web
COPY deploy/image ./deploy/image
RUN npm run build && npm prune --omit=dev && deploy/image/trim.sh "$PARTS"
RUN npm sbom --package-lock-only --omit=dev --sbom-format=cyclonedx >sbom.cdx.json

FROM ${BASE}
RUN apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production DATA_DIR=/data
RUN mkdir /data && chown node:node /data
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/web/dist ./web/dist
COPY --from=build /app/deploy/image/health.mjs /app/sbom.cdx.json ./
COPY package.json ./
COPY config ./config
USER node
VOLUME /data
EXPOSE 5000 6001 6002 6003 6004 6005
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["node", "health.mjs"]
ENTRYPOINT ["node", "--enable-source-maps", "dist/main.js"]
CMD ["backend"]
