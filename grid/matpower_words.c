#include "grid/matpower_internal.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { longest_number = 63 };

struct grid_mp_place grid_mp_begin(const char *name, const char *text, size_t size)
{
    static const char mark[] = "\xef\xbb\xbf"; /* UTF-8 byte order mark */
    size_t skip = size >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;

    return (struct grid_mp_place){
        .name = name, .begin = text, .at = text + skip, .end = text + size, .line = 1};
}

enum walras_status grid_mp_fail(const char *name, size_t line, enum walras_status status,
                                struct walras_err *err, const char *format, ...)
{
    char text[sizeof(err->msg)];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return line > 0 ? walras_fail(err, status, "%s:%zu: %s", name, line, text)
                    : walras_fail(err, status, "%s: %s", name, text);
}

bool grid_mp_is_symbol(const struct grid_mp_token *token, char symbol)
{
    return token->kind == GRID_MP_SYMBOL && *token->at == symbol;
}

bool grid_mp_is_word(const struct grid_mp_token *token, const char *word)
{
    return token->kind == GRID_MP_WORD && token->length == strlen(word) &&
           memcmp(token->at, word, token->length) == 0;
}

bool grid_mp_is_stop(const struct grid_mp_token *token)
{
    return token->kind == GRID_MP_END || token->kind == GRID_MP_NEWLINE ||
           grid_mp_is_symbol(token, ';') || grid_mp_is_symbol(token, ',');
}

/* The byte `ahead` of where reading stands, or NUL beyond the end. */
static char peek(const struct grid_mp_place *place, size_t ahead)
{
    return (size_t)(place->end - place->at) > ahead ? place->at[ahead] : '\0';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_word_part(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool at_dots(const struct grid_mp_place *place)
{
    return peek(place, 0) == '.' && peek(place, 1) == '.' && peek(place, 2) == '.';
}

static void skip_line(struct grid_mp_place *place)
{
    while (place->at < place->end && *place->at != '\n')
        place->at++;
}

static void skip_line_end(struct grid_mp_place *place)
{
    skip_line(place);
    if (place->at < place->end) {
        place->at++;
        place->line++;
    }
}

/* Whether `brace` behind a comment sign, and nothing else, stands on the line. */
static bool line_is_only(const struct grid_mp_place *place, char brace)
{
    const char *at = place->at;

    while (at > place->begin && is_blank(at[-1]))
        at--;
    if (at > place->begin && at[-1] != '\n')
        return false;
    for (at = place->at; at < place->end && is_blank(*at); at++)
        ;
    if (place->end - at < 2 || (*at != '%' && *at != '#') || at[1] != brace)
        return false;
    for (at += 2; at < place->end && is_blank(*at); at++)
        ;
    return at == place->end || *at == '\n';
}

static enum walras_status skip_block(struct grid_mp_place *place, struct walras_err *err)
{
    size_t opened = place->line, depth = 1;

    skip_line_end(place);
    while (depth > 0 && place->at < place->end) {
        if (line_is_only(place, '{'))
            depth++;
        else if (line_is_only(place, '}'))
            depth--;
        if (depth > 0)
            skip_line_end(place);
    }
    if (depth > 0)
        return grid_mp_fail(place->name, opened, WALRAS_INVALID, err,
                            "the block comment that begins here is not closed");
    skip_line(place);
    return WALRAS_OK;
}

/* Blanks, comments, and line ends behind three dots. */
static enum walras_status skip_blank(struct grid_mp_place *place, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    while (status == WALRAS_OK && place->at < place->end) {
        if (is_blank(*place->at))
            place->at++;
        else if (at_dots(place))
            skip_line_end(place);
        else if (*place->at != '%' && *place->at != '#')
            break;
        else if (line_is_only(place, '{'))
            status = skip_block(place, err);
        else
            skip_line(place);
    }
    return status;
}

static size_t digits(const struct grid_mp_place *place, size_t from)
{
    size_t n = 0;

    while (isdigit((unsigned char)peek(place, from + n)))
        n++;
    return n;
}

static size_t number_length(const struct grid_mp_place *place)
{
    struct grid_mp_place dot = *place;
    size_t n = digits(place, 0), exponent = 0;

    dot.at += n;
    if (peek(&dot, 0) == '.' && !at_dots(&dot))
        n += 1 + digits(place, n + 1);
    if (peek(place, n) != '\0' && strchr("eEdD", peek(place, n))) {
        exponent = peek(place, n + 1) == '+' || peek(place, n + 1) == '-' ? 2 : 1;
        n += digits(place, n + exponent) > 0 ? exponent + digits(place, n + exponent) : 0;
    }
    return n;
}

static enum walras_status read_number(struct grid_mp_place *place, struct grid_mp_token *token,
                                      struct walras_err *err)
{
    char text[longest_number + 1] = {0};
    size_t n = number_length(place);

    if (n > longest_number)
        return grid_mp_fail(place->name, place->line, WALRAS_INVALID, err,
                            "a number of %zu characters; expected at most %d", n, longest_number);
    memcpy(text, place->at, n);
    if (is_word_part(peek(place, n)) ||
        (peek(place, n) == '.' && isdigit((unsigned char)peek(place, n + 1))))
        return grid_mp_fail(place->name, place->line, WALRAS_INVALID, err, "'%s%c' is not a number",
                            text, peek(place, n));
    for (size_t i = 0; i < n; i++)
        text[i] = text[i] == 'd' || text[i] == 'D' ? 'e' : text[i];
    token->kind = GRID_MP_NUMBER;
    token->length = n;
    token->number = strtod(text, NULL);
    if (isinf(token->number))
        return grid_mp_fail(place->name, place->line, WALRAS_INVALID, err,
                            "the number %s is too large", text);
    place->at += n;
    return WALRAS_OK;
}

/* A doubled quote stands for one; a string ends on its line. */
static enum walras_status read_string(struct grid_mp_place *place, struct grid_mp_token *token,
                                      struct walras_err *err)
{
    char quote = *place->at++;

    token->kind = GRID_MP_STRING;
    token->at = place->at;
    while (place->at < place->end && *place->at != '\n') {
        if (*place->at == quote && peek(place, 1) != quote) {
            token->length = (size_t)(place->at - token->at);
            place->at++;
            return WALRAS_OK;
        }
        place->at += *place->at == quote || (quote == '"' && *place->at == '\\' &&
                                             peek(place, 1) != '\n' && peek(place, 1) != '\0')
                         ? 2
                         : 1;
    }
    return grid_mp_fail(place->name, place->line, WALRAS_INVALID, err,
                        "the string that begins with %c is not closed", quote);
}

static enum walras_status read_token(struct grid_mp_place *place, struct grid_mp_token *token,
                                     struct walras_err *err)
{
    char c = *place->at;

    if (c == '\n') {
        token->kind = GRID_MP_NEWLINE;
        place->at++;
        place->line++;
        return WALRAS_OK;
    }
    if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)peek(place, 1))))
        return read_number(place, token, err);
    if (c == '"' || (c == '\'' && (token->spaced || !place->after_value)))
        return read_string(place, token, err);
    if (!isgraph((unsigned char)c))
        return grid_mp_fail(place->name, place->line, WALRAS_INVALID, err,
                            "byte 0x%02x is not text", (unsigned)(unsigned char)c);
    token->kind = GRID_MP_SYMBOL;
    if (is_word_part(c)) {
        token->kind = GRID_MP_WORD;
        while (is_word_part(peek(place, token->length)))
            token->length++;
    } else {
        token->length = 1;
    }
    place->at += token->length;
    return WALRAS_OK;
}

enum walras_status grid_mp_next(struct grid_mp_place *place, struct grid_mp_token *token,
                                struct walras_err *err)
{
    const char *before = place->at;
    enum walras_status status = skip_blank(place, err);

    if (status != WALRAS_OK)
        return status;
    *token = (struct grid_mp_token){
        .kind = GRID_MP_END, .at = place->at, .line = place->line, .spaced = place->at > before};
    if (place->at == place->end)
        return WALRAS_OK;
    status = read_token(place, token, err);
    place->after_value = token->kind == GRID_MP_NUMBER || token->kind == GRID_MP_WORD ||
                         token->kind == GRID_MP_STRING ||
                         (token->kind == GRID_MP_SYMBOL && strchr(")]}'", *token->at));
    return status;
}

enum walras_status grid_mp_skip_statement(struct grid_mp_place *place, struct walras_err *err)
{
    struct grid_mp_token token;
    size_t depth = 0, opened = 0;
    enum walras_status status = WALRAS_OK;

    do {
        status = grid_mp_next(place, &token, err);
        if (status != WALRAS_OK)
            return status;
        if (token.kind == GRID_MP_END && depth > 0)
            return grid_mp_fail(place->name, opened, WALRAS_INVALID, err,
                                "the bracket that opens here is not closed");
        if (token.kind == GRID_MP_SYMBOL && strchr("([{", *token.at)) {
            opened = depth == 0 ? token.line : opened;
            depth++;
        } else if (token.kind == GRID_MP_SYMBOL && strchr(")]}", *token.at)) {
            if (depth == 0)
                return grid_mp_fail(place->name, token.line, WALRAS_INVALID, err,
                                    "'%c' closes nothing", *token.at);
            depth--;
        }
    } while (depth > 0 || !grid_mp_is_stop(&token));
    return WALRAS_OK;
}
