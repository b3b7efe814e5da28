import js from '@eslint/js';
import jsdoc from 'eslint-plugin-jsdoc';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/**
 * The staircase of folders: a folder imports only from those before it.
 * `tokens` (interfaces only) and `widgets` (an entry point of its own) stand apart.
 */
const STAIRS = [['api'], ['models'], ['components'], ['views', 'sidebar'], ['commands']];

function stair(folders, step) {
  const later = [...STAIRS.slice(step + 1).flat(), 'widgets'];
  const beside = folders.length > 1 ? folders : [];
  return folders.map(folder => ({
    files: [`src/${folder}/**/*.{ts,tsx}`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: `^(\\.\\./)+(${[...later, ...beside.filter(f => f !== folder)].join('|')})(/|$)`,
              message:
                'Imports go up the stairs: api, models, components, views and sidebar, commands, index.'
            },
            { regex: '^(\\.\\.?/)+(index)?$', message: 'index.ts holds plugins only.' }
          ]
        }
      ]
    }
  }));
}

const MARKUP = 'Text of a run is untrusted and markup in Jupyter runs code: build nodes instead.';

export default tseslint.config(
  {
    ignores: [
      'lib/**',
      'node_modules/**',
      'mltrack_jupyter/**',
      'ui-tests/**',
      'docs/**',
      'src/api/schema.ts',
      '**/*.mjs',
      '**/*.js'
    ]
  },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ['src/**/*.{ts,tsx}'],
    plugins: { jsdoc, 'react-hooks': reactHooks },
    rules: {
      'no-undef': 'off',
      eqeqeq: 'error',
      'max-lines': ['error', 300],
      'max-lines-per-function': ['error', { max: 60 }],
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'jsdoc/require-jsdoc': [
        'error',
        {
          publicOnly: true,
          require: {
            ArrowFunctionExpression: true,
            ClassDeclaration: true,
            FunctionDeclaration: true,
            MethodDefinition: false
          },
          contexts: [
            'TSInterfaceDeclaration',
            'TSTypeAliasDeclaration',
            'ExportNamedDeclaration > VariableDeclaration'
          ]
        }
      ],
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: MARKUP },
        { property: 'outerHTML', message: MARKUP },
        { property: 'insertAdjacentHTML', message: MARKUP }
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
          message: MARKUP
        }
      ]
    }
  },
  ...STAIRS.flatMap(stair),
  {
    files: ['src/**/__tests__/**'],
    rules: { 'max-lines-per-function': 'off', 'no-restricted-imports': 'off' }
  }
);
