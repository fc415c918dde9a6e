/**
 * The base of every error that this package throws. Tell errors apart by class, or by `code`,
 * which is stable: a code keeps its meaning for ever.
 */
export class SilklineError extends Error {
  protected constructor(...args: never);
  /** What happened, in snake_case; one of `ERROR_CODES`. */
  readonly code: string;
}

/** The API key cannot be sent. The key itself is never shown. */
export class InvalidApiKey extends SilklineError {
  readonly code: 'api_key_empty' | 'api_key_invalid';
  /** Where the character stands that no key has, counted from 0 (`api_key_invalid`). */
  readonly position?: number;
  /** How many characters the key has (`api_key_invalid`). */
  readonly length?: number;
}

/** A header cannot be sent. Its value is never shown. */
export class InvalidHeader extends SilklineError {
  readonly code: 'invalid_header_name' | 'invalid_header_value';
  /** The header's name. */
  readonly header: string;
  /** Where in the value the control character stands (`invalid_header_value`). */
  readonly position?: number;
}

/** A text is no HTTP method. */
export class InvalidMethod extends SilklineError {
  readonly code: 'invalid_method';
  /** The text as given. */
  readonly method: string;
}
