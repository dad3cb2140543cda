# The newest Node that the tests pass on; 20.19 is the oldest.
ARG NODE_VERSION=26

FROM node:${NODE_VERSION}-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/preflight.cjs scripts/
COPY src src
COPY workers workers
COPY migrations migrations
RUN npm run build && npm prune --omit=dev

FROM node:${NODE_VERSION}-slim
ENV NODE_ENV=production
# Process 1 of a container is not ended by SIGKILL of its own and has to reap orphans: tini does both for Node.
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/scripts scripts
COPY --from=build /app/dist dist
USER node
EXPOSE 3000
ENTRYPOINT ["tini", "-s", "--"]
# The worker: docker run … node --enable-source-maps dist/workers/main.js
CMD ["node", "--enable-source-maps", "dist/src/web.js"]
