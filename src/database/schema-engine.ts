import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { SchemaEngine, SchemaFilter } from '@prisma/schema-engine-wasm';
import pg from 'pg';

/** Nothing in the database is managed by anybody else. */
export const noFilter: SchemaFilter = { externalTables: [], externalEnums: [] };

/** The bindings keep one WebAssembly instance in a variable of their own: a second instance would break the first. */
let loading: ReturnType<typeof loadBindings> | undefined;

/**
 * Runs `work` with Prisma's schema engine, compiled to WebAssembly: the official engine that keeps `_prisma_migrations`,
 * without the native binary that the Prisma CLI would download. Loads 5 MB of WebAssembly, so it is used only when
 * something is to be migrated or compared.
 */
export async function withSchemaEngine<T>(
  connectionString: string,
  work: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  loading ??= loadBindings();
  const [bindings, { PrismaPg }, { bindMigrationAwareSqlAdapterFactory }] = await Promise.all([
    loading,
    import('@prisma/adapter-pg'),
    import('@prisma/driver-adapter-utils'),
  ]);
  const pool = new pg.Pool({ connectionString, max: 2, allowExitOnIdle: true });
  /** The stock adapter cuts a script at each semicolon, also inside a function's body; Postgres itself reads it whole. */
  class WholeScripts extends PrismaPg {
    override async connect() {
      const adapter = await super.connect();
      adapter.executeScript = async (script) => {
        await pool.query(script);
      };
      return adapter;
    }
  }
  try {
    const adapter = bindMigrationAwareSqlAdapterFactory(new WholeScripts(pool));
    return await work(await bindings.SchemaEngine.new({ datamodels: undefined }, () => {}, adapter));
  } finally {
    await pool.end();
  }
}

async function loadBindings() {
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const entry = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const wasm = await readFile(entry.replace(/\.js$/, '.wasm'));
  // The engine reports a panic here before it traps.
  Reflect.set(globalThis, 'PRISMA_WASM_PANIC_REGISTRY', {
    set_message(message: string) {
      throw new Error(`Prisma's schema engine failed: ${message}`);
    },
  });
  const { instance } = await WebAssembly.instantiate(wasm, {
    './schema_engine_bg.js': withIdleTimers({ ...bindings }),
  });
  bindings.__wbg_set_wasm(instance.exports);
  const start = instance.exports.__wbindgen_start;
  if (typeof start === 'function') start();
  return bindings;
}

/** The engine leaves a timer of ten seconds behind, which must not keep the process alive. */
function withIdleTimers(imports: Record<string, unknown>): Record<string, unknown> {
  for (const [name, binding] of Object.entries(imports)) {
    if (!name.startsWith('__wbg_setTimeout_') || typeof binding !== 'function') continue;
    imports[name] = (...args: unknown[]) => {
      const timer: unknown = Reflect.apply(binding, undefined, args);
      if (typeof timer === 'object' && timer && 'unref' in timer && typeof timer.unref === 'function') timer.unref();
      return timer;
    };
  }
  return imports;
}
