/*
 * The OpenAPI document and the page that shows it, as they were when the program was built:
 * docs/openapi.json is their one source.
 */
#ifndef WALRAS_API_DOCS_H
#define WALRAS_API_DOCS_H

#include <stddef.h>

struct api_docs {
    const char *name, *text;
};
extern const struct api_docs api_docs_files[]; /* [api_docs_n_file] */
extern const size_t api_docs_n_file;

#endif
