import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Ways of writing that the house does without; CONTRIBUTING.md says why. */
const everywhere = [
  {
    selector: 'ExportAllDeclaration',
    message: 'No barrels: import from the file that has it.',
  },
  { selector: 'TSEnumDeclaration', message: 'No enums: a frozen object or a union of strings.' },
  { selector: 'TSParameterProperty', message: 'No parameter properties: name the field.' },
  { selector: 'Decorator', message: 'No decorators: say it in the call.' },
  {
    selector: ':matches(PropertyDefinition, MethodDefinition)[accessibility]',
    message: 'No accessibility words: #private, or public by silence.',
  },
  {
    selector: 'TSAsExpression > TSAsExpression[typeAnnotation.type="TSUnknownKeyword"]',
    message: 'No stepping round the types with `as unknown as`.',
  },
  {
    selector:
      ':matches(ClassDeclaration, TSInterfaceDeclaration, TSTypeAliasDeclaration)[id.name=/(Manager|Helper|Util|Utils)$/]',
    message: 'Name the thing by what it does: no Manager, Helper, Util.',
  },
  {
    selector:
      ':matches(ImportDeclaration, ExportNamedDeclaration, ImportExpression)[source.value=/^\\.{1,2}\\u002F.*\\.js$/]',
    message: 'Relative imports carry the .ts extension.',
  },
];

const environment = [
  {
    selector: 'MemberExpression[object.name="process"][property.name="env"]',
    message: 'src/config.ts is the only reader of the environment.',
  },
  {
    selector:
      'ImportDeclaration[source.value=/^(node:)?process$/] > ImportSpecifier[imported.name="env"]',
    message: 'src/config.ts is the only reader of the environment.',
  },
];

const timeAndChance = [
  {
    selector: 'MemberExpression[object.name="Date"][property.name="now"]',
    message: 'Time is a dependency here: deps.clock.now().',
  },
  {
    selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
    message: 'Time is a dependency here: deps.clock.now().',
  },
  {
    selector: 'MemberExpression[object.name="performance"][property.name="now"]',
    message: 'Time is a dependency here: deps.clock.now().',
  },
  {
    selector: 'MemberExpression[object.name="Math"][property.name="random"]',
    message: 'Chance is a dependency here.',
  },
];

const unfinishedTests = [
  {
    selector:
      'MemberExpression[object.name=/^(it|test|describe|suite|bench)$/][property.name=/^(only|skip|todo)$/]',
    message: 'No .only, .skip or .todo: what cannot run says so loudly (skipIf), the rest runs.',
  },
  {
    selector: 'CallExpression[callee.name=/^(xit|fit|xdescribe|fdescribe|xtest|ftest)$/]',
    message: 'No switched-off tests.',
  },
];

const typescript = ['**/*.ts', '**/*.tsx', '**/*.mts'];

export default defineConfig(
  globalIgnores([
    'node_modules/',
    'dist/',
    'coverage/',
    '.fastim/',
    'src/storage/generated/',
    // Frozen as they were measured, over a client that is generated when they run.
    'bench/rivals/',
    'bench/.build/',
    '**/*.generated.ts',
  ]),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: typescript,
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
      // Code points are what the limits count.
      '@typescript-eslint/no-misused-spread': [
        'error',
        { allow: [{ from: 'lib', name: 'string' }] },
      ],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      // An async method without await is how a plain implementation keeps a port's promise.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
      // The compiler sees these better, and knows the types.
      'no-undef': 'off',
      'no-restricted-syntax': ['error', ...everywhere],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'object-shorthand': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...everywhere, ...environment],
    },
  },
  {
    files: ['src/domain/**/*.ts', 'src/realtime/**/*.ts', 'src/gate/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...everywhere, ...environment, ...timeAndChance],
    },
  },
  {
    files: ['src/config.ts'],
    rules: { 'no-restricted-syntax': ['error', ...everywhere] },
  },
  {
    files: ['src/main.ts', 'src/operate.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**/*.ts', 'tools/**/*.ts', '*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      // What was to be set up may be missing where the set-up failed.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // The runner's asymmetric matchers are `any`.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-unsafe-enum-comparison': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'no-restricted-syntax': ['error', ...everywhere, ...unfinishedTests],
    },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        URL: 'readonly',
        module: 'writable',
        require: 'readonly',
      },
    },
  },
);
