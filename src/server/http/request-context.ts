import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import type { Caller } from '../../accounts/caller.js';
import { ServiceError } from '../../contract/errors.js';
import type { AbortableRequests } from './abortable-requests.js';

export interface RequestSettings {
  log: Logger;
  /** Public address of the API, for example `https://api.example.org`; undefined: the address in the Host header. */
  publicUrl: string | undefined;
  abortable: AbortableRequests;
}

/** A request during its handling. `C` is `Caller` behind a guarded route and `undefined` behind an open route. */
export class RequestContext<C extends Caller | undefined = Caller | undefined> {
  private abortSignal: AbortSignal | undefined;

  constructor(
    readonly request: Request,
    readonly response: Response,
    readonly caller: C,
    private readonly settings: RequestSettings,
  ) {}

  get address(): string {
    return this.request.ip ?? 'unknown';
  }

  /** Address of the API for links to the caller, without a slash at the end, for example `http://localhost:5000`. */
  get apiUrl(): string {
    return this.settings.publicUrl ?? `${this.request.protocol}://${readHost(this.request)}`;
  }

  get log(): Logger {
    return createRequestLogger(this.settings.log, this.response);
  }

  /** Aborts when the caller hangs up or the server stops. Created on first use, because most handlers never wait. */
  get signal(): AbortSignal {
    this.abortSignal ??= this.settings.abortable.createSignal(this.response);
    return this.abortSignal;
  }
}

export const createRequestLogger = (log: Logger, response: Response): Logger =>
  log.child({ requestId: getRequestId(response) });

export const getRequestId = (response: Response): string => String(response.locals.requestId);

/** Returns the Host header. Refuses a header other than `host` or `host:port`, because the host ends up in links. */
function readHost({ headers: { host = 'localhost' } }: Request): string {
  if (/^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/.test(host)) return host;
  throw new ServiceError('invalid', 'Invalid Host header: expected a host name with an optional port');
}
