/** What is asked of a request: one of Node, Express, Fastify or the Fetch standard has it all. */
export interface FlagRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>> | FetchHeaders;
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly originalUrl?: string | undefined;
}

/** `Headers` of the Fetch standard. */
export interface FetchHeaders {
  entries(): IterableIterator<[string, string]>;
}

export interface FlagOptions {
  /** Only requests with a good `X-Flags-Signature` count, and `X-Flags` alone. `FLAGSTAFF_KEYS` as it is, or a list. */
  readonly keys?: string | readonly string[] | undefined;
  /** How many seconds a signature may be old: 60. */
  readonly tolerance?: number | undefined;
  /** Variants of flags for requests that did not come through Flagstaff. */
  readonly defaults?: Readonly<Record<string, string | boolean>> | undefined;
}

/** The flags of one request. No lookup fails: a flag that nobody has defined is off. */
export declare class Flags {
  private constructor();
  /** The visitor's id (`X-Visitor-Id`), where it is known. */
  readonly visitor: string | undefined;
  /** `"headers"`; or `"defaults"` for a request that did not come through Flagstaff, whose `X-Flags` cannot be read, or whose signature is not good. */
  readonly source: "headers" | "defaults";
  /** Whether a flag is anything but off. */
  isOn(name: string): boolean;
  /** The variant of a flag; `fallback` (`"off"`) where it is off, not defined or not known. */
  variant(name: string, fallback?: string): string;
  /** The variants that are known. */
  toJSON(): Record<string, string>;
}

/** Reads the flags of requests. Make one, and keep it: it checks the options once. */
export declare function flagReader(options?: FlagOptions): (request: FlagRequest) => Flags;

/** The flags of one request. */
export declare function flags(request: FlagRequest, options?: FlagOptions): Flags;
