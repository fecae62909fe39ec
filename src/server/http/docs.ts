import express, { type Express } from 'express';
import absolutePath from 'swagger-ui-dist/absolute-path.js';
import { docsHeaders } from './security-headers.js';

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ReefGuide API</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<link rel="icon" href="/api/docs/favicon-32x32.png">
</head>
<body>
<div id="docs"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
`;
const start = `SwaggerUIBundle({ url: '/api/openapi.json', dom_id: '#docs', deepLinking: true, persistAuthorization: true });\n`;

/** Serves the browsable description of the API at `/api/docs`, without loading anything from elsewhere. */
export function addDocs(app: Express): void {
  app.use('/api/docs', docsHeaders);
  app.get('/api/docs', (_request, response) => response.type('html').send(page));
  app.get('/api/docs/start.js', (_request, response) => response.type('js').send(start));
  app.use('/api/docs', express.static(absolutePath(), { index: false, maxAge: '1h' }));
}
