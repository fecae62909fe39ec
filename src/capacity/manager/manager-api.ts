import type { Api } from '../../client/api.js';

export type ManagerApi = Pick<Api, 'demand' | 'poll' | 'takeLease' | 'releaseLease' | 'reportCapacity'>;
