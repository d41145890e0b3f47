#include "core/file.h"

#include "core/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Adds what the descriptor gives until its end; errno tells why a read failed. */
static enum walras_status read_all(int fd, struct walras_text *content)
{
    enum { PIECE = 1 << 16 };
    char *piece = malloc(PIECE);
    ssize_t got = 1;

    if (!piece)
        return WALRAS_NOMEM;
    while (got > 0 && content->failure == WALRAS_OK) {
        got = read(fd, piece, PIECE);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            walras_text_add(content, piece, (size_t)got);
    }
    free(piece);
    if (content->failure == WALRAS_OK)
        walras_text_add(content, "", 0); /* an empty file has a NUL, too */
    return got < 0 ? WALRAS_IO : content->failure;
}

enum walras_status walras_file_read(const char *path, size_t ceiling, char **text, size_t *size,
                                    struct walras_err *err)
{
    struct walras_text content;
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return walras_fail(err, WALRAS_IO, "%s: cannot open: %s", path, strerror(errno));
    walras_text_init(&content, ceiling);

    enum walras_status status = WALRAS_INVALID;

    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (uintmax_t)info.st_size > ceiling)
        content.failure = WALRAS_INVALID; /* no need to read it to know */
    else
        status = read_all(fd, &content);
    if (status == WALRAS_IO)
        (void)walras_fail(err, status, "%s: cannot read: %s", path, strerror(errno));
    else if (status == WALRAS_INVALID)
        (void)walras_fail(err, status, "%s: file is too large (limit %zu MB)", path,
                          ceiling / 1000000);
    else if (status == WALRAS_NOMEM)
        (void)walras_fail(err, status, "%s: no memory to read the file", path);
    close(fd);
    if (status != WALRAS_OK) {
        walras_text_release(&content);
        return status;
    }
    *text = content.data;
    *size = content.size;
    return WALRAS_OK;
}

enum walras_status walras_file_create(const char *path, FILE **file, struct walras_err *err)
{
    FILE *opened = fopen(path, "w");

    if (!opened)
        return walras_fail(err, WALRAS_IO, "%s: cannot write: %s", path, strerror(errno));
    *file = opened;
    return WALRAS_OK;
}

enum walras_status walras_file_finish(FILE *file, const char *path, struct walras_err *err)
{
    bool failed = ferror(file) != 0;
    int reason = 0;

    if (failed) { /* the reason is long gone: the next byte meets it again */
        clearerr(file);
        if (fputc('\n', file) == EOF)
            reason = errno;
    }
    if (fflush(file) != 0) {
        failed = true;
        reason = reason ? reason : errno;
    }
    if (fclose(file) != 0 && !failed) {
        failed = true;
        reason = errno;
    }
    if (failed)
        return walras_fail(err, WALRAS_IO, "%s: cannot write: %s", path,
                           strerror(reason ? reason : EIO));
    return WALRAS_OK;
}

char *walras_path_staged(const char *path)
{
    struct walras_text staged;

    walras_text_init(&staged, SIZE_MAX / 4);
    walras_text_addf(&staged, "%s.walras-%ld", path, (long)getpid());
    if (staged.failure != WALRAS_OK)
        walras_text_release(&staged);
    return staged.data;
}

char *walras_path_join(const char *directory, const char *path)
{
    struct walras_text joined;

    walras_text_init(&joined, SIZE_MAX / 4);
    if (path[0] != '/' && strcmp(directory, ".") != 0 && directory[0] != '\0')
        walras_text_addf(&joined, "%s/", directory);
    walras_text_addf(&joined, "%s", path);
    if (joined.failure != WALRAS_OK)
        walras_text_release(&joined);
    return joined.data;
}

char *walras_path_absolute(const char *path)
{
    char here[4096];

    return path[0] == '/' || !getcwd(here, sizeof(here)) ? strdup(path)
                                                         : walras_path_join(here, path);
}

char *walras_path_directory(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}
