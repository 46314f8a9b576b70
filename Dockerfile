# A node, from a clean checkout: `docker build -t fastim .`
FROM node:22-slim AS build
WORKDIR /fastim
COPY package.json package-lock.json ./
# No package needs a script to be installed.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run prepare && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:22-slim
ENV NODE_ENV=production
WORKDIR /fastim
COPY --from=build /fastim/package.json ./
COPY --from=build /fastim/node_modules node_modules
COPY --from=build /fastim/prisma prisma
COPY --from=build /fastim/tools tools
COPY --from=build /fastim/dist dist
# New volumes there belong to whom the server runs as.
RUN mkdir /data /keys && chown node:node /data /keys
ENV HOST=0.0.0.0 DATA_DIR=/data
USER node
EXPOSE 4000
# Migrations are the server's own work at its start.
CMD ["node", "--max-semi-space-size=64", "dist/main.js"]
