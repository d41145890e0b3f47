/* GET /openapi.json, /docs and what that page is made of. */
#include "api/docs.h"

#include "api/api_internal.h"

#include <string.h>

/* The page may load what this server serves, and send nothing anywhere else. */
#define PAGE_POLICY                                                                                \
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "                \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static enum walras_status show(struct api_request *request, const char *name, const char *type,
                               struct walras_err *err)
{
    enum walras_status status = api_json(request, MHD_HTTP_OK, err);
    size_t i = 0;

    while (i < api_docs_n_file && strcmp(api_docs_files[i].name, name) != 0)
        i++;
    if (status == WALRAS_OK && i == api_docs_n_file)
        status = walras_fail(err, WALRAS_INTERNAL, "%s is not in this program", name);
    if (status == WALRAS_OK)
        fputs(api_docs_files[i].text, request->stream);
    request->type = type;
    request->policy = PAGE_POLICY;
    return status;
}

enum walras_status api_docs_document(struct api_request *request, struct walras_err *err)
{
    return show(request, "openapi.json", "application/json", err);
}

enum walras_status api_docs_page(struct api_request *request, struct walras_err *err)
{
    return show(request, "page.html", "text/html; charset=utf-8", err);
}

enum walras_status api_docs_style(struct api_request *request, struct walras_err *err)
{
    return show(request, "page.css", "text/css; charset=utf-8", err);
}

enum walras_status api_docs_script(struct api_request *request, struct walras_err *err)
{
    return show(request, "page.js", "text/javascript; charset=utf-8", err);
}
