/*
 * Whole files into memory, with a ceiling.
 *
 * Threads  no shared state.
 */
#ifndef WALRAS_CORE_FILE_H
#define WALRAS_CORE_FILE_H

#include "core/status.h"

#include <stdio.h>

/*
 * Reads a regular file (or what a pipe gives until its end). *text is the caller's, malloc'd, with
 * a NUL behind its *size bytes. Returns WALRAS_IO "PATH: reason" when it cannot be read,
 * WALRAS_INVALID when it is larger than `ceiling` bytes, WALRAS_NOMEM.
 */
WALRAS_NODISCARD enum walras_status walras_file_read(const char *path, size_t ceiling, char **text,
                                                     size_t *size, struct walras_err *err);

/*
 * A file to write, and its end: what is buffered is written, and every failure since it was opened
 * is told, WALRAS_IO "PATH: reason". walras_file_finish closes the file in any case.
 */
WALRAS_NODISCARD enum walras_status walras_file_create(const char *path, FILE **file,
                                                       struct walras_err *err);
WALRAS_NODISCARD enum walras_status walras_file_finish(FILE *file, const char *path,
                                                       struct walras_err *err);

/* A name beside `path` to write to before renaming. Malloc'd, NULL when there is no memory. */
char *walras_path_staged(const char *path);
/*
 * `path` as seen from `directory` ("." when it is ""): absolute paths stay as they are. Malloc'd,
 * NULL when there is no memory.
 */
char *walras_path_join(const char *directory, const char *path);
/* The same path from the root, so that it means the same from anywhere. Malloc'd, may be NULL. */
char *walras_path_absolute(const char *path);
/* The directory part of a path, "." when there is none. Malloc'd, NULL when there is no memory. */
char *walras_path_directory(const char *path);

#endif
