import type { Api } from '../../client/api.js';

/** The calls of the API that a capacity manager makes. */
export type ManagerApi = Pick<Api, 'demand' | 'poll' | 'takeLease' | 'releaseLease' | 'reportCapacity'>;
