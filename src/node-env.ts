// To be imported before anything else. Libraries ask for it while they are loaded: without it graphql-js looks at each object
// for a second copy of itself, which was an eighth of all execution.
// eslint-disable-next-line no-restricted-syntax -- it is set here, not read: config.ts stays the only reader.
process.env['NODE_ENV'] ??= 'production';
