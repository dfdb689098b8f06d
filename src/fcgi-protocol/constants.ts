// The numbers of FastCGI 1.0 as the specification spells them; each member says what it is for.

/** The only version there is (FastCGI 1.0 §3.3). */
export const VERSION = 1;

/** The request id of management records; an application record never has it (§3.3). */
export const NULL_REQUEST_ID = 0;

/** What a record is (§3.3, §8): a management record with request id 0, or an application record. */
export const RecordType = {
  BEGIN_REQUEST: 1, // application, discrete: the web server starts a request (§5.1)
  ABORT_REQUEST: 2, // application, discrete: the web server wants the request to end early (§5.4)
  END_REQUEST: 3, // application, discrete: the application ends the request (§5.5)
  PARAMS: 4, // application, stream: name-value pairs from the web server (§5.2)
  STDIN: 5, // application, stream: the request body (§5.3)
  STDOUT: 6, // application, stream: the answer (§5.3)
  STDERR: 7, // application, stream: error messages of the application (§5.3)
  DATA: 8, // application, stream: the file that a Filter filters (§5.3)
  GET_VALUES: 9, // management: the web server asks for variables of the application (§4.1)
  GET_VALUES_RESULT: 10, // management: those that the application knows, with values (§4.1)
  UNKNOWN_TYPE: 11, // management: the application does not know the type of a record (§4.2)
} as const;

/** What the web server expects of the application (§5.1, §6). */
export const Role = {
  RESPONDER: 1, // takes the whole HTTP request and makes the whole answer (§6.2)
  AUTHORIZER: 2, // says yes or no to the request; has no STDIN (§6.3)
  FILTER: 3, // a Responder that gets a file on DATA besides (§6.4)
} as const;

/** Bits of the flags of BEGIN_REQUEST (§5.1). */
export const Flag = {
  KEEP_CONN: 1, // clear: the application closes the connection after the request
} as const;

/** How the application ends a request on the protocol's level (§5.5). */
export const ProtocolStatus = {
  REQUEST_COMPLETE: 0, // normal end of the request
  CANT_MPX_CONN: 1, // refused: this application does one request at a time on a connection
  OVERLOADED: 2, // refused: the application is out of some resource
  UNKNOWN_ROLE: 3, // refused: the application does not have this role
} as const;

/** Names that a web server may ask for with GET_VALUES (§4.1). */
export const VariableName = {
  MAX_CONNS: 'FCGI_MAX_CONNS', // how many connections the application takes at the same time
  MAX_REQS: 'FCGI_MAX_REQS', // how many requests it takes at the same time
  MPXS_CONNS: 'FCGI_MPXS_CONNS', // '1' if it multiplexes connections, '0' if not
} as const;
