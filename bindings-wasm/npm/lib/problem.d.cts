/** What a problem document (RFC 7807) says. */
export interface Problem {
  /** The URI of the problem's type, as it stands in the document. */
  readonly type: string | null;
  /** What tells the types apart: the last path segment of the type, without `.html`. */
  readonly kind: string | null;
  /** A short summary of the type. */
  readonly title: string | null;
  /** The status of the response, as the document repeats it. */
  readonly status: number | null;
  /** An explanation of this occurrence. */
  readonly detail: string | null;
  /** A URI of this occurrence. */
  readonly instance: string | null;
  /** How long to wait before the next attempt, in milliseconds, if a member says so. */
  readonly retryDelay: number | null;
  /** All other members, by name. */
  readonly members: { readonly [name: string]: unknown };
}

/** The parts of a problem document to build. */
export interface ProblemParts {
  /** A URI that names the kind of problem. */
  readonly type?: string | null | undefined;
  /** What is wrong, in words for people. */
  readonly title?: string | null | undefined;
  /** The HTTP status. */
  readonly status?: number | null | undefined;
  /** What is wrong this time. */
  readonly detail?: string | null | undefined;
  /** A URI of this occurrence. */
  readonly instance?: string | null | undefined;
  /** Members of one's own. */
  readonly members?: { readonly [name: string]: unknown } | undefined;
  /** The same as names and JSON texts, which are written as they are. */
  readonly memberTexts?: readonly (readonly [name: string, json: string])[] | undefined;
}

/**
 * Reads a problem document.
 *
 * @throws {InvalidProblem} if the body is none
 * @example
 * readProblem('{"type": "https://example.com/empty-request.html"}').kind; // 'empty-request'
 */
export function readProblem(body: Uint8Array | ArrayBuffer | string): Problem;

/**
 * Builds a problem document, as JSON text.
 *
 * @throws {InvalidProblem} if a member has the name of a part, or is no JSON
 */
export function buildProblem(parts: ProblemParts): string;
