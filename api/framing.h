/*
 * Where a request ends must be told in one way only. A server in front that reads it another way
 * would take for a body what this one takes for the next request, of somebody else's connection.
 *
 * Source   RFC 9112, sections 5.1, 6.1 to 6.3 and 11.2 (request smuggling).
 * Threads  the connection's.
 */
#ifndef WALRAS_API_FRAMING_H
#define WALRAS_API_FRAMING_H

struct MHD_Connection;

/*
 * What is wrong with a request's header; NULL: nothing. After a request that is refused for it the
 * connection has to be closed: nobody knows where the next one begins.
 */
const char *api_framing_fault(struct MHD_Connection *connection);

#endif
