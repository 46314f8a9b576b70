// Runs the worker from source: a thread must be taught TypeScript anew. The built program starts sqlite-worker.js itself.
import { register } from 'tsx/esm/api';

register();
await import('./sqlite-worker.ts');
