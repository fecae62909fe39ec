import type { Api } from '../../client/api.js';

/** Calls of the API by a capacity manager. */
export type ManagerApi = Pick<Api, 'demand' | 'poll' | 'takeLease' | 'releaseLease' | 'reportCapacity'>;
