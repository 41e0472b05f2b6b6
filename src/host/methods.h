/*
 * The methods of the control protocol: a request becomes a call of the office, the office's reply a result.
 */
#ifndef LIAISON_HOST_METHODS_H
#define LIAISON_HOST_METHODS_H

#include "host/serve.h"

/* Answers at once, with an error too, or asks the office. */
void methods_call(struct client *client, const struct control_request *request);
/* The result that this reply of the office is for that method; NULL if there is no memory. */
json_t *methods_result(const struct host *host, unsigned method, const struct office_event *reply);

#endif
