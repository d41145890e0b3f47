#include "core/outdir.h"

#include "core/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct walras_outdir {
    char *target, *staging;
    bool exists;       /* the target did when we began */
    size_t first_made; /* length of the first parent in `target` that we made; 0: made none */
    char **staged;
    size_t n_staged;
    char **forgotten;
    size_t n_forgotten;
};

static enum walras_status fail(const char *path, const char *what, struct walras_err *err)
{
    return walras_fail(err, WALRAS_IO, "%s: %s: %s", path, what, strerror(errno));
}

/* "directory/name", malloc'd; NULL when there is no memory. */
static char *join(const char *directory, const char *name)
{
    struct walras_text path;

    walras_text_init(&path, 1 << 16);
    walras_text_addf(&path, "%s/%s", directory, name);
    if (path.failure != WALRAS_OK)
        walras_text_release(&path);
    return path.data;
}

static bool ends_component(const char *path, size_t n)
{
    return n > 0 && path[n] == '/' && path[n - 1] != '/';
}

static enum walras_status make_parent(struct walras_outdir *outdir, size_t n,
                                      struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;
    struct stat info;

    outdir->target[n] = '\0';
    if (stat(outdir->target, &info) != 0) {
        if (mkdir(outdir->target, 0777) == 0)
            outdir->first_made = outdir->first_made ? outdir->first_made : n;
        else if (errno != EEXIST)
            status = fail(outdir->target, "cannot make the directory", err);
    }
    outdir->target[n] = '/';
    return status;
}

static enum walras_status make_parents(struct walras_outdir *outdir, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (size_t n = 0; outdir->target[n] && status == WALRAS_OK; n++)
        if (ends_component(outdir->target, n))
            status = make_parent(outdir, n, err);
    return status;
}

/* The deepest first; where somebody else has put something the directory stays. */
static void remove_parents(struct walras_outdir *outdir)
{
    for (size_t n = strlen(outdir->target); outdir->first_made && n >= outdir->first_made; n--)
        if (ends_component(outdir->target, n)) {
            outdir->target[n] = '\0';
            rmdir(outdir->target);
        }
}

/* Makes the staging directory under a name that nobody else has. */
static enum walras_status make_staging(struct walras_outdir *outdir, struct walras_err *err)
{
    for (unsigned attempt = 0; attempt < 10000; attempt++) {
        struct walras_text path;

        walras_text_init(&path, 1 << 16);
        walras_text_addf(&path, "%s%s.walras-%ld-%u", outdir->target, outdir->exists ? "/" : "",
                         (long)getpid(), attempt);
        if (path.failure != WALRAS_OK) {
            walras_text_release(&path);
            return walras_fail(err, WALRAS_IO, "%.200s: the name is too long", outdir->target);
        }
        if (mkdir(path.data, 0777) == 0) {
            outdir->staging = path.data;
            return WALRAS_OK;
        }

        int reason = errno;

        walras_text_release(&path);
        errno = reason;
        if (reason != EEXIST)
            return fail(outdir->target, "cannot write there", err);
    }
    return fail(outdir->target, "cannot make a staging directory", err);
}

static enum walras_status look_at_target(struct walras_outdir *outdir, struct walras_err *err)
{
    struct stat info;

    if (outdir->target[0] == '\0')
        return walras_fail(err, WALRAS_INVALID, "the name of the output directory is empty");
    if (stat(outdir->target, &info) != 0)
        return errno == ENOENT ? WALRAS_OK : fail(outdir->target, "cannot look at it", err);
    if (!S_ISDIR(info.st_mode))
        return walras_fail(err, WALRAS_IO,
                           "%s: there is a file of that name; a directory is needed",
                           outdir->target);
    outdir->exists = true;
    return WALRAS_OK;
}

enum walras_status walras_outdir_begin(const char *directory, struct walras_outdir **made,
                                       struct walras_err *err)
{
    struct walras_outdir *outdir = calloc(1, sizeof(*outdir));
    enum walras_status status = WALRAS_OK;

    if (!outdir || !(outdir->target = strdup(directory))) {
        walras_outdir_free(outdir);
        return walras_fail(err, WALRAS_NOMEM, "%s: no memory", directory);
    }
    for (size_t n = strlen(outdir->target); n > 1 && outdir->target[n - 1] == '/'; n--)
        outdir->target[n - 1] = '\0';
    status = look_at_target(outdir, err);
    if (status == WALRAS_OK && !outdir->exists)
        status = make_parents(outdir, err);
    if (status == WALRAS_OK)
        status = make_staging(outdir, err);
    if (status != WALRAS_OK) {
        walras_outdir_free(outdir);
        return status;
    }
    *made = outdir;
    return WALRAS_OK;
}

const char *walras_outdir_path(const struct walras_outdir *outdir)
{
    return outdir->staging;
}

static enum walras_status push(char ***list, size_t *n, const char *name, struct walras_err *err)
{
    char **more = realloc(*list, (*n + 1) * sizeof(*more));
    char *copy = strdup(name);

    if (more)
        *list = more;
    if (!more || !copy) {
        free(copy);
        return walras_fail(err, WALRAS_NOMEM, "%s: no memory", name);
    }
    more[(*n)++] = copy;
    return WALRAS_OK;
}

enum walras_status walras_outdir_forget(struct walras_outdir *outdir, const char *name,
                                        struct walras_err *err)
{
    return push(&outdir->forgotten, &outdir->n_forgotten, name, err);
}

/* Lists what was staged. */
static enum walras_status list_staged(struct walras_outdir *outdir, struct walras_err *err)
{
    DIR *directory = opendir(outdir->staging);
    enum walras_status status = WALRAS_OK;

    if (!directory)
        return fail(outdir->staging, "cannot read the directory", err);
    for (;;) {
        const struct dirent *entry = readdir(directory);

        if (!entry || status != WALRAS_OK)
            break;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = push(&outdir->staged, &outdir->n_staged, entry->d_name, err);
    }
    closedir(directory);
    return status;
}

/* Brings a file or a directory itself to the disk. */
static enum walras_status sync_path(const char *path, const char *named, struct walras_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum walras_status status = WALRAS_OK;

    if (fd < 0)
        return fail(named, "cannot open", err);
    if (fsync(fd) != 0 && errno != EINVAL) /* EINVAL: a file system that cannot */
        status = fail(named, "cannot write to the disk", err);
    close(fd);
    return status;
}

/* Judges that the file can be put into place: nothing but a file may lie there. */
static enum walras_status check_place(const char *place, struct walras_err *err)
{
    struct stat info;

    if (lstat(place, &info) == 0 && S_ISDIR(info.st_mode))
        return walras_fail(err, WALRAS_IO, "%s: a directory is in the place of a file", place);
    return WALRAS_OK;
}

enum step { CHECK, SYNC, MOVE };

static enum walras_status for_staged(const struct walras_outdir *outdir, enum step step,
                                     struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (size_t i = 0; status == WALRAS_OK && i < outdir->n_staged; i++) {
        char *from = join(outdir->staging, outdir->staged[i]);
        char *to = join(outdir->target, outdir->staged[i]);

        if (!from || !to)
            status = walras_fail(err, WALRAS_NOMEM, "%s: no memory", outdir->target);
        else if (step == CHECK)
            status = check_place(to, err);
        else if (step == SYNC)
            status = sync_path(from, to, err);
        else if (rename(from, to) != 0)
            status = fail(to, "cannot put the file in place", err);
        free(from);
        free(to);
    }
    return status;
}

static bool is_staged(const struct walras_outdir *outdir, const char *name)
{
    for (size_t i = 0; i < outdir->n_staged; i++)
        if (strcmp(outdir->staged[i], name) == 0)
            return true;
    return false;
}

static enum walras_status remove_forgotten(const struct walras_outdir *outdir,
                                           struct walras_err *err)
{
    for (size_t i = 0; i < outdir->n_forgotten; i++) {
        if (is_staged(outdir, outdir->forgotten[i]))
            continue;

        char *path = join(outdir->target, outdir->forgotten[i]);

        if (!path)
            return walras_fail(err, WALRAS_NOMEM, "%s: no memory", outdir->target);

        bool gone = unlink(path) == 0 || errno == ENOENT;

        if (!gone)
            (void)fail(path, "cannot remove the earlier file", err);
        free(path);
        if (!gone)
            return WALRAS_IO;
    }
    return WALRAS_OK;
}

static enum walras_status move_into(const struct walras_outdir *outdir, struct walras_err *err)
{
    enum walras_status status = for_staged(outdir, MOVE, err);

    if (status == WALRAS_OK)
        status = remove_forgotten(outdir, err);
    if (status == WALRAS_OK && rmdir(outdir->staging) != 0)
        status = fail(outdir->staging, "cannot remove the staging directory", err);
    return status == WALRAS_OK ? sync_path(outdir->target, outdir->target, err) : status;
}

enum walras_status walras_outdir_commit(struct walras_outdir *outdir, struct walras_err *err)
{
    enum walras_status status = list_staged(outdir, err);

    if (status == WALRAS_OK && outdir->exists)
        status = for_staged(outdir, CHECK, err);
    if (status == WALRAS_OK)
        status = for_staged(outdir, SYNC, err);
    if (status == WALRAS_OK)
        status = sync_path(outdir->staging, outdir->target, err);
    if (status != WALRAS_OK)
        return status;
    if (outdir->exists)
        status = move_into(outdir, err);
    else if (rename(outdir->staging, outdir->target) != 0)
        status = fail(outdir->target, "cannot put the directory in place", err);
    if (status == WALRAS_OK) {
        free(outdir->staging);
        outdir->staging = NULL;
        outdir->first_made = 0;
    }
    return status;
}

static void remove_staging(struct walras_outdir *outdir)
{
    if (outdir->n_staged == 0 && list_staged(outdir, NULL) != WALRAS_OK)
        return;
    for (size_t i = 0; i < outdir->n_staged; i++) {
        char *path = join(outdir->staging, outdir->staged[i]);

        if (path)
            unlink(path);
        free(path);
    }
    rmdir(outdir->staging);
}

void walras_outdir_free(struct walras_outdir *outdir)
{
    if (!outdir)
        return;
    if (outdir->staging)
        remove_staging(outdir);
    if (outdir->first_made)
        remove_parents(outdir);
    for (size_t i = 0; i < outdir->n_staged; i++)
        free(outdir->staged[i]);
    for (size_t i = 0; i < outdir->n_forgotten; i++)
        free(outdir->forgotten[i]);
    free(outdir->staged);
    free(outdir->forgotten);
    free(outdir->staging);
    free(outdir->target);
    free(outdir);
}
