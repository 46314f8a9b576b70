/**
 * What may import what (ARCHITECTURE.md says why). test/architecture/imports.test.ts plants a
 * violation of each rule and sees it caught.
 */

/** Packages by name, whether they are installed or not. */
const packages = (...names) => `(^|node_modules/)(${names.join('|')})(/|$)`;

/** Everything of ours, but for what is named. */
const oursBut = (...allowed) => `^src/(?!(${allowed.join('|')}))`;

const settings = ['limits\\.ts$', 'config\\.ts$'];

/** Rule 1: lib <- storage <- domain <- realtime <- gate, domain <- resolvers, wired in server.ts alone. */
const layers = [
  {
    name: 'lib-stands-alone',
    comment: 'lib has no FastIM words, so it needs nothing of ours.',
    from: { path: '^src/lib/' },
    to: { path: oursBut('lib/') },
  },
  {
    name: 'settings-stand-alone',
    comment: 'Limits and configuration are read before anything else exists.',
    from: { path: '^src/((limits|config|variables)\\.ts$|limits/)' },
    to: { path: oursBut('lib/', 'limits/', 'variables\\.ts$') },
  },
  {
    name: 'limits-are-one',
    comment: 'All limits are one table to everybody; its parts are files for those who read them.',
    from: { path: '^src/', pathNot: '^src/limits(\\.ts$|/)' },
    to: { path: '^src/limits/' },
  },
  {
    name: 'storage-knows-no-nouns',
    comment: 'storage is machinery: it stands below the domain.',
    from: { path: '^src/storage/' },
    to: { path: oursBut('storage/', 'lib/', ...settings) },
  },
  {
    name: 'domain-knows-no-edge',
    comment: 'The rules do not know how anybody is told of them.',
    from: { path: '^src/domain/' },
    to: { path: oursBut('domain/', 'storage/', 'lib/', ...settings) },
  },
  {
    name: 'realtime-knows-no-edge',
    comment:
      'The pipeline knows neither who is connected how, nor what the schema makes of an event.',
    from: { path: '^src/realtime/' },
    to: { path: oursBut('realtime/', 'domain/', 'storage/', 'lib/', ...settings) },
  },
  {
    name: 'gate-knows-no-resolvers',
    comment: 'The gate serves whatever schema it is handed.',
    from: { path: '^src/gate/' },
    to: {
      path: oursBut('gate/', 'realtime/', 'domain/', 'storage/', 'lib/', ...settings),
    },
  },
  {
    name: 'resolvers-only-translate',
    comment: 'A resolver asks the doors: of the domain, or what doors.ts says of realtime.',
    from: { path: '^src/resolvers/' },
    to: { path: oursBut('resolvers/', 'domain/', 'lib/', 'doors\\.ts$', ...settings) },
  },
  {
    name: 'doors-are-of-the-domain',
    comment: 'What the resolvers may ask is said in words of the domain.',
    from: { path: '^src/doors\\.ts$' },
    to: { path: oursBut('domain/', 'lib/', ...settings) },
  },
  {
    name: 'wired-in-server-alone',
    comment: 'server.ts is the one composition root; main.ts and operate.ts start it.',
    from: { path: '^src/', pathNot: '^src/(main|operate)\\.ts$' },
    to: { path: '^src/(server|main|operate)\\.ts$' },
  },
  {
    name: 'config-is-handed-on',
    comment: 'Configuration is read once and handed on; elsewhere its types are enough.',
    from: { path: '^src/', pathNot: '^src/(main|server|operate)\\.ts$' },
    to: { path: '^src/config\\.ts$', dependencyTypesNot: ['type-only'] },
  },
];

/** A noun is entered through its door, `<noun>/<noun>.ts`. */
const doors = [
  {
    name: 'noun-door',
    comment:
      'From outside the domain a noun is its door; server.ts makes what the doors are given.',
    from: { path: '^src/', pathNot: '^src/(domain/|server\\.ts$)' },
    to: { path: '^src/domain/([^/]+)/(?!\\1\\.ts$)' },
  },
  {
    name: 'noun-door-of-another-noun',
    comment: 'Nouns know each other by their doors.',
    from: { path: '^src/domain/([^/]+)/' },
    to: { path: '^src/domain/([^/]+)/(?!\\1\\.ts$)', pathNot: '^src/domain/$1/' },
  },
];

/** Rule 2: a technology has its place. */
const fences = [
  {
    name: 'prisma-in-stores',
    comment: 'Prisma only in *-store.ts and storage/.',
    from: { path: '^src/', pathNot: '^src/storage/|-store\\.ts$' },
    to: { path: `${packages('@prisma', '\\.prisma', 'prisma')}|^src/storage/generated/` },
  },
  {
    name: 'drivers-in-storage',
    comment: 'The drivers of the databases only in storage/.',
    from: { path: '^src/', pathNot: '^src/storage/' },
    to: {
      path: packages('mariadb', 'mysql2?', '@libsql', 'libsql', 'better-sqlite3', 'node:sqlite'),
    },
  },
  {
    name: 'redis-in-its-files',
    comment: 'Redis only in *.redis.ts and storage/redis.ts.',
    from: { path: '^src/', pathNot: '\\.redis\\.ts$|^src/storage/redis\\.ts$' },
    to: { path: packages('ioredis', 'redis', '@redis', 'graphql-redis-subscriptions') },
  },
  {
    name: 'graphql-and-sockets-at-the-edge',
    comment:
      'GraphQL and sockets only in resolvers/, the gate and server.ts; and the socket to a database.',
    from: {
      path: '^src/',
      pathNot: '^src/(resolvers/|gate/|server\\.ts$|storage/gathering-socket\\.ts$)',
    },
    to: {
      path: `${packages(
        'graphql',
        'graphql-(yoga|ws|sse|jit|subscriptions|scalars)',
        '@(pothos|graphql-yoga|graphql-tools|envelop|whatwg-node)',
        'ws',
      )}|^(node:)?(http|https|http2|net|tls)$`,
    },
  },
  {
    name: 'rate-limiter-in-its-file',
    comment: 'What counts rates is a RateStore to everybody else.',
    from: { path: '^src/', pathNot: '^src/storage/rates\\.(limiters|memory|redis)\\.ts$' },
    to: { path: packages('rate-limiter-flexible') },
  },
  {
    name: 'pino-in-lib-log',
    comment: 'Everybody else is handed a Logger of lib/log.ts.',
    from: { path: '^src/', pathNot: '^src/lib/log\\.ts$' },
    to: { path: packages('pino') },
  },
];

const hygiene = [
  {
    name: 'no-cycles',
    comment: 'Two files that need each other to run are one thing, or two with a third below.',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  {
    name: 'no-orphans',
    comment: 'A file that nobody imports and that imports nothing is dead.',
    from: { orphan: true, path: '^src/', pathNot: '\\.d\\.ts$|^src/storage/generated/' },
    to: {},
  },
  {
    name: 'everything-resolves',
    comment: 'An import leads to a file or to a package that is installed.',
    from: { path: '^(src|client)/' },
    to: { couldNotResolve: true },
  },
  {
    name: 'no-dev-dependencies',
    comment: 'The server runs with what package.json lists under dependencies.',
    // A *.source.mjs stands in for built code where the tests run the sources.
    from: { path: '^src/', pathNot: '\\.source\\.mjs$' },
    to: {
      dependencyTypes: ['npm-dev', 'npm-no-pkg'],
      dependencyTypesNot: ['type-only'],
    },
  },
  {
    name: 'nothing-from-tests',
    comment: 'The server does not know its tests, tools, client or measurements.',
    from: { path: '^src/' },
    to: { path: '^(test|tools|client|console|bench)/' },
  },
  {
    name: 'client-knows-the-schema-only',
    comment: 'The SDK is a customer of the schema, not of the server.',
    from: { path: '^client/' },
    to: { path: '^(src|test|tools)/' },
  },
];

module.exports = {
  forbidden: [...layers, ...doors, ...fences, ...hygiene].map((rule) => ({
    ...rule,
    severity: 'error',
  })),
  options: {
    doNotFollow: { path: ['node_modules', '^src/storage/generated/'] },
    // Imports of types are imports: they too say who knows whom.
    tsPreCompilationDeps: true,
    parser: 'tsc',
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
      exportsFields: ['exports'],
      mainFields: ['module', 'main', 'types', 'typings'],
      conditionNames: ['import', 'node', 'default', 'require', 'types'],
    },
  },
};
