import type { Problem } from './lib/problem.cjs';

/**
 * The base of every error that this package throws of its own. Tell errors apart by class, or by
 * `code`, which is stable: a code keeps its meaning in every version and language.
 */
export class SilklineError extends Error {
  protected constructor(...args: never);
  /** What happened, in snake_case; one of `ERROR_CODES`. */
  readonly code: string;
}

/**
 * What a failed request means for those that follow: `account`: no request will succeed until
 * somebody has seen to the account; `final`: the same request will fail again; `server`: as good as
 * a network failure, try again; `throttling`: too much at once, try again later.
 */
export type RetryClass = 'account' | 'final' | 'server' | 'throttling';

/** The API key cannot be sent. The key itself is never shown. */
export class InvalidApiKey extends SilklineError {
  readonly code: 'api_key_empty' | 'api_key_invalid';
  /** Where it shows, counted from 0. */
  readonly position?: number;
  /** The size that was found, in the unit that the message names. */
  readonly length?: number;
}

/** No request can carry so few or so many queries. */
export class InvalidBatch extends SilklineError {
  readonly code: 'batch_empty' | 'batch_too_large';
  /** How many there are. */
  readonly count?: number;
  /** How many there may be. */
  readonly limit?: number;
}

/** The address of a service cannot be used. */
export class InvalidEndpoint extends SilklineError {
  readonly code: 'endpoint_credentials' | 'endpoint_invalid' | 'endpoint_not_origin';
  /** The address as given. */
  readonly endpoint?: string;
}

/** A script of faults for a service machine cannot be read. */
export class InvalidFaults extends SilklineError {
  readonly code: 'invalid_faults';
  /** What is wrong with it. */
  readonly reason: string;
}

/** A header cannot be sent. Its value is never shown. */
export class InvalidHeader extends SilklineError {
  readonly code: 'invalid_header_name' | 'invalid_header_value';
  /** The header's name. */
  readonly header: string;
  /** Where it shows, counted from 0. */
  readonly position?: number;
}

/** An item cannot be converted into the schema of the other service. */
export class InvalidItem extends SilklineError {
  readonly code: 'item_no_counterpart' | 'item_not_object' | 'item_syntax';
  /** The page type that only one of the services has. */
  readonly pageType?: string;
  /** The JSON type that was found where an object should be. */
  readonly found?: string;
  /** The byte at which the text is not JSON. */
  readonly position?: number;
}

/** A text is not JSON. */
export class InvalidJson extends SilklineError {
  readonly code: 'json_syntax' | 'json_too_deep' | 'json_truncated' | 'json_utf8';
  /** Where it shows, counted from 0. */
  readonly position: number;
}

/** A text is no HTTP method. */
export class InvalidMethod extends SilklineError {
  readonly code: 'invalid_method';
  /** The text as given. */
  readonly method: string;
}

/** A pool of sessions cannot be of that size or shape. */
export class InvalidPool extends SilklineError {
  readonly code: 'pool_anonymous_invalid' | 'pool_size_invalid';
  /** The share that was asked for. */
  readonly percent?: number;
  /** The size that was asked for or found. */
  readonly size?: number;
}

/** A body is no problem document, or a member cannot stand in one. */
export class InvalidProblem extends SilklineError {
  readonly code:
    | 'problem_json'
    | 'problem_member'
    | 'problem_not_object'
    | 'problem_reserved'
    | 'problem_too_large';
  /** Where it shows, counted from 0. */
  readonly position?: number;
  /** The member's name. */
  readonly member?: string;
  /** The JSON type that was found. */
  readonly found?: string;
  /** The size that was found, in the unit that the message names. */
  readonly length?: number;
}

/** A request cannot be sent through the proxy. */
export class InvalidProxiedRequest extends SilklineError {
  readonly code: 'proxied_headers_too_large' | 'target_url_invalid' | 'target_url_scheme';
  /** The size that was asked for or found. */
  readonly size?: number;
  /** The URL as given. */
  readonly url?: string;
}

/** Options of a proxied request that the service would refuse. */
export class InvalidProxyOptions extends SilklineError {
  readonly code:
    | 'proxy_max_retries_range'
    | 'proxy_option_contradiction'
    | 'proxy_option_control_character'
    | 'proxy_option_repeated'
    | 'proxy_option_unknown'
    | 'proxy_option_unsupported'
    | 'proxy_option_value'
    | 'proxy_session_with_region'
    | 'proxy_timeout_range';
  /** The value as given. */
  readonly value?: string | number;
  /** The header's name. */
  readonly header?: string;
  /** Where it shows, counted from 0. */
  readonly position?: number;
  /** What was expected. */
  readonly expected?: string;
  /** The time-out as given, in milliseconds. */
  readonly timeout?: number;
  /** Why the option cannot be carried over to the service. */
  readonly reason?: string;
}

/** A query that the service would refuse. Thrown when the query is made, or when a request is. */
export class InvalidQuery extends SilklineError {
  readonly code:
    | 'query_custom_html_too_long'
    | 'query_extra_json'
    | 'query_extra_reserved'
    | 'query_extra_too_deep'
    | 'query_field_duplicate'
    | 'query_field_missing'
    | 'query_field_type'
    | 'query_json'
    | 'query_lone_surrogate'
    | 'query_meta_too_long'
    | 'query_not_object'
    | 'query_page_type'
    | 'query_unsupported'
    | 'query_url_invalid'
    | 'query_url_scheme'
    | 'query_url_too_long';
  /** The size that was found, in the unit that the message names. */
  readonly length?: number;
  /** The limit that the value is over. */
  readonly limit?: number;
  /** The name of the member. */
  readonly field?: string;
  /** Where it shows, counted from 0. */
  readonly position?: number;
  /** What was expected. */
  readonly expected?: string;
  /** The JSON type that was found. */
  readonly found?: string;
  /** The name as given. */
  readonly pageType?: string;
  /** The URL as given. */
  readonly url?: string;
  /** The beginning of the value that cannot be carried over. */
  readonly value?: string;
  /** The dialect that it cannot be carried over to. */
  readonly dialect?: string;
  /** Why not. */
  readonly reason?: string;
}

/** A rate that no limiter can keep. */
export class InvalidRate extends SilklineError {
  readonly code: 'rate_burst_invalid' | 'rate_invalid';
}

/** A text is no id of a session. */
export class InvalidSessionId extends SilklineError {
  readonly code: 'session_id_invalid';
  /** The id as given. */
  readonly id: string;
  /** What is wrong with it. */
  readonly reason: string;
}

/** A setting is out of its range. */
export class InvalidSetting extends SilklineError {
  readonly code: 'setting_invalid';
  /** The name of the setting. */
  readonly setting: string;
  /** The value as given. */
  readonly value: number;
  /** The least that it can be. */
  readonly least: number;
  /** The most that it can be. */
  readonly most: number;
}

/** A job was not taken. */
export class NotSubmitted extends SilklineError {
  readonly code: 'engine_closed' | 'named_sessions_excluded' | 'queue_full';
  /** The size of the queue. */
  readonly limit?: number;
}

/** What the documentation advises after an error of the proxy service. */
export type ProxyAction =
  | 'back_off'
  | 'back_off_domain'
  | 'drop_session'
  | 'final'
  | 'final_for_domain'
  | 'free_session'
  | 'ignore'
  | 'lower_concurrency'
  | 'retry'
  | 'retry_elsewhere'
  | 'retry_once'
  | 'stop_all'
  | 'stop_all_after_retries';

/** Smart Proxy Manager answered with an error of its own. */
export class ProxyServiceError extends SilklineError {
  readonly code:
    | 'bad_endpoint'
    | 'bad_header'
    | 'bad_proxy_auth'
    | 'bad_session_id'
    | 'bad_uri'
    | 'banned'
    | 'client_conn_closed'
    | 'connect_timeout'
    | 'data_error'
    | 'domain_forbidden'
    | 'econnrefused'
    | 'econnreset'
    | 'ehostunreach'
    | 'header_auth'
    | 'headers_too_large'
    | 'internal_error'
    | 'invalid_request'
    | 'msgtimeout'
    | 'noslaves'
    | 'nxdomain'
    | 'over_domain_limit'
    | 'send_failed'
    | 'serverbusy'
    | 'session_creation_error'
    | 'socket_closed_remotely'
    | 'ssl_tunnel_error'
    | 'timeout'
    | 'too_many_conns'
    | 'unknown_proxy_error'
    | 'user_session_limit'
    | 'user_suspended';
  /** The HTTP status of the answer. */
  readonly status: number;
  /** The service's own text. */
  readonly text: string;
  /** The beginning of the body. */
  readonly detail: string;
  /** What the documentation advises to do next. */
  readonly action: ProxyAction;
  /** How long the service wants to be left alone, in milliseconds; `null` if it does not say. */
  readonly retryAfter: number | null;
  /** Whether the target has banned the address. */
  readonly isBan: boolean;
  /** Whether the service charges for it. */
  readonly billed: boolean;
}

/** The service refused the request, or its answer cannot be read: there are no results at all. */
export class ServiceError extends SilklineError {
  readonly code:
    | 'account_disabled'
    | 'answer_content_type'
    | 'answer_element'
    | 'answer_empty'
    | 'answer_html'
    | 'answer_not_array'
    | 'answer_not_object'
    | 'answer_not_utf8'
    | 'answer_syntax'
    | 'answer_too_deep'
    | 'answer_truncated'
    | 'empty_request'
    | 'error_body_empty'
    | 'error_body_html'
    | 'error_body_not_object'
    | 'error_body_not_utf8'
    | 'error_body_syntax'
    | 'error_body_too_deep'
    | 'error_body_too_large'
    | 'error_body_truncated'
    | 'http_pipelining_not_supported'
    | 'malformed_json'
    | 'malformed_request'
    | 'method_not_allowed'
    | 'queries_limit_reached'
    | 'rate_limit_exceeded'
    | 'unauthorized'
    | 'unexpected_status'
    | 'unknown_problem'
    | 'unknown_uri'
    | 'unrecognized_content_type'
    | 'user_rate_limit_exceeded';
  /** The HTTP status of the answer. */
  readonly status: number;
  /** The problem document, if the answer held one. */
  readonly problem: Problem | null;
  /** How long the service wants to be left alone, in milliseconds; `null` if it does not say. */
  readonly retryAfter: number | null;
  /** What the failure means for further requests. */
  readonly retry: RetryClass;
  /** Whether the service charges for it. */
  readonly billed: false;
  /** Whether the service is known not to have worked on the queries; it is not when the answer promised results and cannot be read. */
  readonly billingKnown: boolean;
  /** The answer's body, as it was given. It does not show when the error is printed. */
  readonly body: Uint8Array;
}

/** The answer to a call of the sessions API cannot be read. */
export class SessionCallFailed extends SilklineError {
  readonly code: 'session_answer_malformed';
  /** What is wrong with it. */
  readonly reason: string;
}

/** No request of that id was handed out. */
export class UnknownRequest extends SilklineError {
  readonly code: 'unknown_request';
  /** The id as given. */
  readonly id: number;
}

/** A job ended without an answer of the service. */
export class ExtractionJobError extends SilklineError {
  readonly code:
    | 'job_cancelled'
    | 'job_closed'
    | 'job_interrupted'
    | 'network_failure'
    | 'request_not_sent'
    | 'request_timed_out';
}

/** A job of the proxy ended without an answer of its target. */
export class ProxyJobError extends SilklineError {
  readonly code:
    | 'job_banned'
    | 'job_cancelled'
    | 'job_closed'
    | 'job_interrupted'
    | 'network_failure'
    | 'request_not_sent'
    | 'request_timed_out'
    | 'session_lost';
}

/** A snapshot cannot be restored. */
export class InvalidSnapshot extends SilklineError {
  readonly code: 'snapshot_content' | 'snapshot_machine' | 'snapshot_unknown' | 'snapshot_version';
  /** What is wrong with it (`snapshot_content`). */
  readonly reason?: string;
  /** The machine or version that wrote it. */
  readonly found?: string | number;
  /** The machine that was to be restored (`snapshot_machine`). */
  readonly expected?: string;
  /** The latest version that can be read (`snapshot_version`). */
  readonly known?: number;
}
