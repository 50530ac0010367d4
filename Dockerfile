# syntax=docker/dockerfile:1
# Two stages: what builds it stays out of what runs it.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build \
  && rm -rf dist/test dist/bench dist/docs dist/examples \
  && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
# The warnings of a package manager and its updates have no place in a running server.
ENV NODE_ENV=production
WORKDIR /srv/countersign
COPY --from=build /build/package.json /build/LICENSE ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY --from=build /build/views ./views
COPY --from=build /build/plugins ./plugins
# Owned by root, run by `node`: the process can change nothing of itself, and the root file system may be read-only.
USER node
EXPOSE 4000
STOPSIGNAL SIGTERM
# A node that is not ready gets no requests; one that hangs answers neither.
HEALTHCHECK --interval=10s --timeout=4s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.COUNTERSIGN_PORT ?? 4000}/readyz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-old-space-size=512", "dist/src/cli/main.js"]
CMD ["start", "--config", "/etc/countersign/countersign.yaml"]
