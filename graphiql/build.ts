import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

/** GraphiQL's style sheet embeds 300 kB of fonts; the page uses the system's. */
const withoutFonts: Plugin = {
  name: 'without-fonts',
  setup(bundle) {
    bundle.onLoad({ filter: /graphiql[\\/]dist[\\/]style\.css$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(/@font-face\s*\{[^}]*\}/g, ''),
      loader: 'css',
    }));
  },
};

/**
 * Bundles the page into `outdir`: `index.html` and the two assets that it names, relative to the
 * page's own address at `/graphql`: `graphiql/app-<hash>.js` and `graphiql/app-<hash>.css`.
 * What was in `outdir` is replaced.
 */
export async function buildGraphiql(outdir: string): Promise<void> {
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  const { outputFiles } = await build({
    entryPoints: { app: join(here, 'src/main.tsx') },
    outdir,
    entryNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    jsx: 'automatic',
    legalComments: 'none',
    define: { 'process.env.NODE_ENV': '"production"' },
    tsconfig: join(here, 'tsconfig.json'),
    plugins: [withoutFonts],
    logLevel: 'warning',
  });
  let html = await readFile(join(here, 'index.html'), 'utf8');
  for (const { path, contents } of outputFiles) {
    await writeFile(path, contents);
    const mark = path.endsWith('.css') ? '{{style}}' : '{{script}}';
    html = html.replace(mark, `graphiql/${basename(path)}`);
  }
  if (html.includes('{{')) throw new Error('the bundle lacks its script or its style sheet');
  await writeFile(join(outdir, 'index.html'), html);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildGraphiql(join(here, '../dist/graphiql'));
}
