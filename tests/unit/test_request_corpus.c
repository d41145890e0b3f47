/* What fuzzing of requests grew from and has found: an answer to each, by the target's own checks.
 */
#include "core/file.h"
#include "testkit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* The fuzz target's; it aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void test_every_request_of_the_corpus_is_answered(void)
{
    static const char folder[] = WALRAS_SOURCE_DIR "/tests/fuzz/corpus/request";
    DIR *directory = opendir(folder);
    size_t n = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        char path[4096], *text = NULL;
        size_t size = 0;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        CU_ASSERT_EQUAL_FATAL(walras_file_read(path, 1 << 20, &text, &size, NULL), 0);
        CU_ASSERT_EQUAL(LLVMFuzzerTestOneInput((const uint8_t *)text, size), 0);
        free(text);
        n++;
    }
    closedir(directory);
    CU_ASSERT_TRUE(n > 0);
}

static const struct testkit_test tests[] = {
    {"every request of the corpus is answered", test_every_request_of_the_corpus_is_answered},
};

TESTKIT_MAIN("request corpus", tests)
