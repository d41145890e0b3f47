#include "market/method_internal.h"

#include <string.h>

static const struct market_method_ops *const methods[] = {
    &market_bundle_ops, &market_newton_ops, &market_admm_ops,        &market_accelerated_ops,
    &market_adam_ops,   &market_polyak_ops, &market_subgradient_ops, NULL};

const struct market_method_ops *const *market_methods(void)
{
    return methods;
}

const struct market_method_ops *market_method_find(const char *name)
{
    for (size_t i = 0; methods[i]; i++)
        if (strcmp(methods[i]->name, name) == 0)
            return methods[i];
    return NULL;
}
