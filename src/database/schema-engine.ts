import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { SchemaEngine, SchemaFilter } from '@prisma/schema-engine-wasm';
import pg from 'pg';

/** Excludes no table or enum: nothing else manages parts of the database. */
export const noFilter: SchemaFilter = { externalTables: [], externalEnums: [] };

/** Loads once, because the bindings store the WebAssembly instance in a variable, where a second breaks the first. */
let loading: ReturnType<typeof loadBindings> | undefined;

/**
 * Runs `work` with Prisma's schema engine compiled to WebAssembly: maintains `_prisma_migrations` as the Prisma CLI does,
 * without the download of a native binary. Takes 5 MB, so import the module only to migrate or compare.
 */
export async function withSchemaEngine<T>(url: string, work: (engine: SchemaEngine) => Promise<T>): Promise<T> {
  loading ??= loadBindings();
  const [bindings, { PrismaPg }, { bindMigrationAwareSqlAdapterFactory }] = await Promise.all([
    loading,
    import('@prisma/adapter-pg'),
    import('@prisma/driver-adapter-utils'),
  ]);
  const pool = new pg.Pool({ connectionString: url, max: 2, allowExitOnIdle: true });
  reportCharAsText(pool);
  /** Sends scripts whole, because the stock adapter splits at each semicolon, also in the body of a function. */
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

/** Declares "char" columns, e.g. `pg_constraint.confdeltype`, as text in results, because PrismaPg refuses the type. */
function reportCharAsText(pool: pg.Pool): void {
  const { CHAR, TEXT } = pg.types.builtins;
  const query: (...args: unknown[]) => unknown = pool.query.bind(pool);
  Reflect.set(pool, 'query', async (...args: unknown[]) => {
    const result = await query(...args);
    for (const field of isResult(result) ? result.fields : []) {
      if (field.dataTypeID === CHAR) field.dataTypeID = TEXT;
    }
    return result;
  });
}

const isResult = (value: unknown): value is { fields: pg.FieldDef[] } =>
  typeof value === 'object' && value !== null && 'fields' in value && Array.isArray(value.fields);

async function loadBindings() {
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const entry = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const wasm = await readFile(entry.replace(/\.js$/, '.wasm'));
  // The engine reports a panic here before the trap.
  Reflect.set(globalThis, 'PRISMA_WASM_PANIC_REGISTRY', {
    set_message(message: string) {
      throw new Error(`Prisma's schema engine failed: ${message}`);
    },
  });
  const { instance } = await WebAssembly.instantiate(wasm, {
    './schema_engine_bg.js': withUnrefTimers({ ...bindings }),
  });
  bindings.__wbg_set_wasm(instance.exports);
  const start = instance.exports.__wbindgen_start;
  if (typeof start === 'function') start();
  return bindings;
}

/** Unrefs the timers of the engine, because a timer of ten seconds must not keep the process alive. */
function withUnrefTimers(imports: Record<string, unknown>): Record<string, unknown> {
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
