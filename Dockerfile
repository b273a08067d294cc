# One image for every process: `docker run caudex backend`, `docker run caudex chroma`, …
# The base is pinned by the digest of its index, which holds all architectures; Renovate keeps it new.
ARG BASE=node:24.21.0-bookworm-slim@sha256:d6aa754f16b3197301076f047b5def2f02ea1dbbc2ca920407d46d7ec7f87b20

# Node, git and their libraries: the root of the image.
FROM ${BASE} AS system
RUN apt-get update && apt-get install --yes --no-install-recommends git ca-certificates
COPY deploy/image/system.sh /
RUN /system.sh /system

FROM ${BASE} AS build
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY web ./web
RUN npm run build && find dist -name '*.d.ts' -delete && npm prune --omit=dev
COPY deploy/image ./deploy/image
COPY --from=system /system/var/lib/dpkg/status.d /debian
# `slim`: without the embedded ChromaDB and the runtime of embedding models, for CHROMADB_URL and EMBEDDINGS_BASE_URL.
ARG PARTS=all
RUN deploy/image/trim.sh "$PARTS" && \
  npm sbom --package-lock-only --sbom-format=cyclonedx | node deploy/image/sbom.mjs /debian >sbom.cdx.json

FROM scratch
COPY --from=system /system /
WORKDIR /app
ENV PATH=/usr/local/bin:/usr/bin NODE_ENV=production DATA_DIR=/data
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
