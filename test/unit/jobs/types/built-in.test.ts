import { describe, expect, it } from '@jest/globals';
import { builtInTypes } from '../../../../src/jobs/types/built-in.js';
import { JobTypeRegistry } from '../../../../src/jobs/types/registry.js';

const registry = new JobTypeRegistry(builtInTypes);
const input = (type: string, payload: unknown) => registry.require(type, 'type').checkInput(payload);
const result = (type: string, resultPayload: unknown) => registry.require(type, 'type').checkResult(resultPayload);

const criteria = { region: 'Cairns-Cooktown', reef_type: 'slopes' };
const suitability = { ...criteria, x_dist: 450, y_dist: 20 };
const parameter = { param_name: 'guided', third_param_flag: true, lower: 0, upper: 1, optional_third: 0.5 };
const adria = { data_package: 'MOORE', num_scenarios: 64, model_params: [parameter], rcp_scenario: 60 };
const adriaResult = {
  spatial_metrics_path: 'metrics.parquet',
  reef_boundaries_path: 'reefs.gpkg',
  output_result_set_path: 'results',
  available_charts: ['cover'],
  chart_metadata: { cover: { title: 'Cover' } },
};
const bounds = ['depth', 'low_tide', 'high_tide', 'slope', 'rugosity', 'turbidity', 'waves_period', 'waves_height'];

const without = (value: object, field: string) =>
  Object.fromEntries(Object.entries(value).filter(([name]) => name !== field));

describe('built-in types: checkInput', () => {
  it.each<[string, unknown]>([
    ['TEST', { id: 1 }],
    ['TEST', { id: -0.5 }],
    ['SUITABILITY_ASSESSMENT', suitability],
    ['SUITABILITY_ASSESSMENT', { ...suitability, threshold: 95 }],
    ...bounds.flatMap((name): [string, unknown][] => [
      ['SUITABILITY_ASSESSMENT', { ...suitability, [`${name}_min`]: -9.5, [`${name}_max`]: 2 }],
      ['REGIONAL_ASSESSMENT', { ...criteria, [`${name}_min`]: 1 }],
      ['REGIONAL_ASSESSMENT', { ...criteria, [`${name}_max`]: 1 }],
      ['REGIONAL_ASSESSMENT', { ...criteria, [`${name}_min`]: 1, [`${name}_max`]: 1 }],
    ]),
    ['REGIONAL_ASSESSMENT', criteria],
    ['DATA_SPECIFICATION_UPDATE', {}],
    ['DATA_SPECIFICATION_UPDATE', { cache_buster: 1.5 }],
    ['ADRIA_MODEL_RUN', adria],
    ['ADRIA_MODEL_RUN', { ...adria, data_package: 'GBR', model_params: [] }],
    ['ADRIA_MODEL_RUN', { ...adria, model_params: [without(parameter, 'optional_third')] }],
    ...[26, 45, 60, 85].map((rcp_scenario): [string, unknown] => ['ADRIA_MODEL_RUN', { ...adria, rcp_scenario }]),
    ...[1, 2, 4, 1024, 65_536].map((num_scenarios): [string, unknown] => [
      'ADRIA_MODEL_RUN',
      { ...adria, num_scenarios },
    ]),
  ])('accepts %s with %j', (type, payload) => {
    expect(input(type, payload)).toEqual({ ok: true, value: payload });
  });

  it('fills in rcp_scenario 45', () => {
    expect(input('ADRIA_MODEL_RUN', without(adria, 'rcp_scenario'))).toEqual({
      ok: true,
      value: { ...adria, rcp_scenario: 45 },
    });
  });
});

describe('built-in types: checkInput of an invalid payload', () => {
  const strictly: [string, object][] = [
    ['TEST', { id: 1 }],
    ['SUITABILITY_ASSESSMENT', suitability],
    ['REGIONAL_ASSESSMENT', criteria],
    ['DATA_SPECIFICATION_UPDATE', {}],
    ['ADRIA_MODEL_RUN', adria],
  ];
  it.each<[string, unknown, string]>([
    ...strictly.map(([type, payload]): [string, unknown, string] => [type, { ...payload, more: 1 }, '']),
    ...strictly.flatMap(([type]): [string, unknown, string][] => [
      [type, undefined, ''],
      [type, null, ''],
      [type, [], ''],
      [type, 'text', ''],
    ]),
    ['TEST', {}, 'id'],
    ['TEST', { id: '1' }, 'id'],
    ['TEST', { id: null }, 'id'],
    ['SUITABILITY_ASSESSMENT', without(suitability, 'region'), 'region'],
    ['SUITABILITY_ASSESSMENT', without(suitability, 'reef_type'), 'reef_type'],
    ['SUITABILITY_ASSESSMENT', without(suitability, 'x_dist'), 'x_dist'],
    ['SUITABILITY_ASSESSMENT', without(suitability, 'y_dist'), 'y_dist'],
    ['SUITABILITY_ASSESSMENT', { ...suitability, x_dist: 0 }, 'x_dist'],
    ['SUITABILITY_ASSESSMENT', { ...suitability, y_dist: -1 }, 'y_dist'],
    ['SUITABILITY_ASSESSMENT', { ...suitability, threshold: '95' }, 'threshold'],
    ['SUITABILITY_ASSESSMENT', { ...suitability, region: '' }, 'region'],
    ['REGIONAL_ASSESSMENT', { ...criteria, reef_type: 7 }, 'reef_type'],
    ['REGIONAL_ASSESSMENT', { ...criteria, x_dist: 1 }, ''],
    ...bounds.flatMap((name): [string, unknown, string][] => [
      ['REGIONAL_ASSESSMENT', { ...criteria, [`${name}_min`]: '1' }, `${name}_min`],
      ['REGIONAL_ASSESSMENT', { ...criteria, [`${name}_max`]: null }, `${name}_max`],
      ['REGIONAL_ASSESSMENT', { ...criteria, [`${name}_min`]: 2, [`${name}_max`]: 1 }, `${name}_min`],
      ['SUITABILITY_ASSESSMENT', { ...suitability, [`${name}_min`]: 2, [`${name}_max`]: 1 }, `${name}_min`],
    ]),
    ['DATA_SPECIFICATION_UPDATE', { cache_buster: 'now' }, 'cache_buster'],
    ['ADRIA_MODEL_RUN', { ...adria, data_package: 'REEF' }, 'data_package'],
    ['ADRIA_MODEL_RUN', { ...adria, rcp_scenario: 50 }, 'rcp_scenario'],
    ['ADRIA_MODEL_RUN', { ...adria, rcp_scenario: '45' }, 'rcp_scenario'],
    ...[0, -2, 3, 6, 100, 1.5, 65_535, '64'].map((num_scenarios): [string, unknown, string] => [
      'ADRIA_MODEL_RUN',
      { ...adria, num_scenarios },
      'num_scenarios',
    ]),
    ['ADRIA_MODEL_RUN', without(adria, 'model_params'), 'model_params'],
    ['ADRIA_MODEL_RUN', { ...adria, model_params: {} }, 'model_params'],
    ...['param_name', 'third_param_flag', 'lower', 'upper'].map((field): [string, unknown, string] => [
      'ADRIA_MODEL_RUN',
      { ...adria, model_params: [parameter, without(parameter, field)] },
      `model_params.1.${field}`,
    ]),
    ['ADRIA_MODEL_RUN', { ...adria, model_params: [{ ...parameter, more: 1 }] }, 'model_params.0'],
    [
      'ADRIA_MODEL_RUN',
      { ...adria, model_params: [{ ...parameter, optional_third: 'x' }] },
      'model_params.0.optional_third',
    ],
  ])('rejects %s with %j at "%s"', (type, payload, path) => {
    const checked = input(type, payload);
    expect(checked.ok).toBe(false);
    if (!checked.ok) expect(checked.issues.map((issue) => issue.path)).toContain(path);
  });
});

describe('built-in types: checkResult', () => {
  it.each<[string, unknown]>([
    ['TEST', {}],
    ['TEST', undefined],
    ['SUITABILITY_ASSESSMENT', { geojson_path: 'sites.geojson' }],
    ['REGIONAL_ASSESSMENT', { cog_path: 'region.tiff' }],
    ['DATA_SPECIFICATION_UPDATE', {}],
    ['ADRIA_MODEL_RUN', adriaResult],
  ])('accepts %s reporting %j', (type, resultPayload) => {
    expect(result(type, resultPayload).ok).toBe(true);
  });

  it.each<[string, unknown]>([
    ['TEST', { more: 1 }],
    ['TEST', 'done'],
    ['SUITABILITY_ASSESSMENT', undefined],
    ['SUITABILITY_ASSESSMENT', {}],
    ['SUITABILITY_ASSESSMENT', { geojson_path: '' }],
    ['SUITABILITY_ASSESSMENT', { geojson_path: 'a', more: 1 }],
    ['REGIONAL_ASSESSMENT', { geojson_path: 'a' }],
    ['DATA_SPECIFICATION_UPDATE', { more: 1 }],
    ...Object.keys(adriaResult).map((field): [string, unknown] => ['ADRIA_MODEL_RUN', without(adriaResult, field)]),
    ['ADRIA_MODEL_RUN', { ...adriaResult, available_charts: 'cover' }],
    ['ADRIA_MODEL_RUN', { ...adriaResult, chart_metadata: [] }],
  ])('rejects %s reporting %j', (type, resultPayload) => {
    expect(result(type, resultPayload).ok).toBe(false);
  });
});

describe('built-in types', () => {
  it.each([
    ['TEST', 60, 1],
    ['SUITABILITY_ASSESSMENT', 60, 3],
    ['REGIONAL_ASSESSMENT', 60, 3],
    ['DATA_SPECIFICATION_UPDATE', 60, 3],
    ['ADRIA_MODEL_RUN', 240, 3],
  ])('allow %s %d minutes and %d attempts', (name, expiryMinutes, maxAttempts) => {
    expect(registry.get(name)).toMatchObject({ expiryMinutes, maxAttempts });
  });

  it('are five', () => {
    expect(builtInTypes).toHaveLength(5);
  });

  it('describe their input by a JSON Schema without additional properties', () => {
    for (const { inputSchema } of registry.describe()) {
      expect(inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
    }
  });
});

describe('JobTypeRegistry: require', () => {
  it('rejects an unknown type at the given path and lists the declared types', () => {
    expect(() => registry.require('constructor', 'jobs.3.type')).toThrow(
      expect.objectContaining({
        kind: 'invalid',
        issues: [{ path: 'jobs.3.type', message: expect.stringContaining('ADRIA_MODEL_RUN') }],
      }),
    );
  });
});
