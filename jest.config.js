const project = (name, extra = {}) => ({
  displayName: name,
  rootDir: import.meta.dirname,
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  testEnvironment: 'node',
  modulePathIgnorePatterns: ['<rootDir>/cdk.out'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: { target: 'es2022', parser: { syntax: 'typescript' }, transform: { verbatimModuleSyntax: true } },
        module: { type: 'es6' },
      },
    ],
  },
  ...extra,
});

const database = {
  globalSetup: '<rootDir>/test/support/database-setup.js',
  globalTeardown: '<rootDir>/test/support/database-teardown.js',
};

export default {
  projects: [project('unit'), project('integration', database), project('e2e'), project('wire', database)],
  maxWorkers: 2,
  testTimeout: 30_000,
};
