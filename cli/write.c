#include "cli/cli.h"
#include "core/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum walras_status cli_write_file(const char *path,
                                  enum walras_status (*write)(FILE *file, void *context,
                                                              struct walras_err *err),
                                  void *context, struct walras_err *err)
{
    char *staged = walras_path_staged(path);
    enum walras_status status = WALRAS_OK, finished;
    FILE *file = NULL;

    if (!staged)
        return walras_fail(err, WALRAS_NOMEM, "%s: no memory", path);
    if (walras_file_create(staged, &file, NULL) != WALRAS_OK) {
        status = walras_fail(err, WALRAS_IO, "%s: cannot write: %s", path, strerror(errno));
        free(staged);
        return status;
    }
    status = write(file, context, err);
    finished = walras_file_finish(file, path, err); /* the first failure wins */
    status = status == WALRAS_OK ? finished : status;
    if (status == WALRAS_OK && rename(staged, path) != 0)
        status = walras_fail(err, WALRAS_IO, "%s: cannot put the file in place: %s", path,
                             strerror(errno));
    if (status != WALRAS_OK)
        unlink(staged);
    free(staged);
    return status;
}
