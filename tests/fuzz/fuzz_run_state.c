/*
 * libFuzzer target: any bytes as the state of a run.
 */
#include "../unit/run_state.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)run_state_try((const char *)data, size);
    return 0;
}
