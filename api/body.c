#include "api/api_internal.h"
#include "api/shape.h"

enum walras_status api_body_json(struct api_request *request, struct walras_json *root,
                                 struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;
    struct walras_err cause = {0};

    status = api_check_shape(request->body ? request->body : "", request->size, &cause);
    if (status == WALRAS_OK)
        status = walras_json_parse("body", request->body ? request->body : "", request->size,
                                   &request->doc, &cause);
    if (status == WALRAS_INVALID) { /* no JSON at all is a bad request, not bad content */
        (void)api_refuse(request, MHD_HTTP_BAD_REQUEST, "%s", cause.msg);
        return status;
    }
    if (status != WALRAS_OK)
        return walras_fail(err, status, "%s", cause.msg);
    *root = walras_json_root(request->doc);
    if (!walras_json_is(root, WALRAS_JSON_OBJECT))
        return walras_json_mistyped(root, "an object", err);
    return WALRAS_OK;
}
