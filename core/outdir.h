/*
 * A directory of results that appears whole or not at all.
 *
 * Files are written into a staging directory beside (or, where DIR exists already, inside) DIR and
 * put in place by renaming once everything is on the disk. Where DIR is new, it appears at once
 * with all its files; directories above it that are missing are made at the beginning, and go again
 * when nothing is committed. In a DIR that exists each file is replaced whole, files of other names
 * are left alone, and nothing is replaced unless everything could be written.
 *
 * Ownership  the caller frees the outdir; the path it hands out lives as long.
 * Failures   WALRAS_IO "PATH: reason": a file in DIR's place, no permission, a full disk …
 * Threads    one at a time.
 */
#ifndef WALRAS_CORE_OUTDIR_H
#define WALRAS_CORE_OUTDIR_H

#include "core/status.h"

struct walras_outdir;

WALRAS_NODISCARD enum walras_status
walras_outdir_begin(const char *directory, struct walras_outdir **made, struct walras_err *err);
/* The staging directory: write the files there. */
const char *walras_outdir_path(const struct walras_outdir *outdir);
/* On commit a file of that name that lies in DIR from before goes, unless it is written anew. */
WALRAS_NODISCARD enum walras_status walras_outdir_forget(struct walras_outdir *outdir,
                                                         const char *name, struct walras_err *err);
/* Brings every staged file to the disk, then into place. Only walras_outdir_free may follow. */
WALRAS_NODISCARD enum walras_status walras_outdir_commit(struct walras_outdir *outdir,
                                                         struct walras_err *err);
/* Removes what was staged and not committed. */
void walras_outdir_free(struct walras_outdir *outdir);

#endif
