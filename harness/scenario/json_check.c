/* SPDX-License-Identifier: MIT */
/* RFC 8259 by recursive descent; builds nothing. */
#include "harness/scenario/json_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct scanner {
	const char *file;
	const char *start, *at, *end;
	struct error *err;
};

static int scan_value(struct scanner *s, unsigned depth);

/* Fails at `s->at` with line, column and, when `what` is what was expected, the culprit.
 */
static int scan_failed(struct scanner *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int scan_failed(struct scanner *s, const char *fmt, ...)
{
	unsigned line = 1, column = 1;
	char what[256];
	va_list args;

	for (const char *c = s->start; c < s->at; c++) {
		column = *c == '\n' ? 1 : column + 1;
		line += *c == '\n';
	}
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return error_set(
	    s->err, -EINVAL, "%s: line %u, column %u: %s", s->file, line, column, what);
}

static int scan_expected(struct scanner *s, const char *what)
{
	unsigned char c;

	if (s->at == s->end)
		return scan_failed(s, "expected %s, but the file ends here", what);
	c = (unsigned char)*s->at;
	if (c < 0x20 || c >= 0x7f)
		return scan_failed(s, "expected %s, not byte 0x%02x", what, c);
	return scan_failed(s, "expected %s, not '%c'", what, c);
}

static void skip_space(struct scanner *s)
{
	while (s->at < s->end && memchr(" \t\r\n", *s->at, 4) != NULL)
		s->at++;
}

static int is_digit(const struct scanner *s)
{
	return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

static int scan_digits(struct scanner *s)
{
	if (!is_digit(s))
		return scan_expected(s, "a digit");
	while (is_digit(s))
		s->at++;
	return 0;
}

static int scan_number(struct scanner *s)
{
	const char *began = s->at;
	int rc = 0;

	if (*s->at == '-')
		s->at++;
	if (s->at < s->end && *s->at == '0') {
		s->at++;
		if (is_digit(s))
			return scan_failed(s, "a number must not begin with 0");
	} else {
		rc = scan_digits(s);
	}
	if (rc == 0 && s->at < s->end && *s->at == '.') {
		s->at++;
		rc = scan_digits(s);
	}
	if (rc == 0 && s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
		s->at++;
		if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
			s->at++;
		rc = scan_digits(s);
	}
	/* cJSON cuts numbers at 63 characters without a word. */
	if (rc == 0 && s->at - began > 60)
		return scan_failed(s, "a number of more than 60 characters");
	return rc;
}

/* Length of the UTF-8 sequence at `s->at`; 0 if it is none (RFC 3629). */
static size_t utf8_length(const struct scanner *s)
{
	const unsigned char *c = (const unsigned char *)s->at;
	size_t room = (size_t)(s->end - s->at);
	size_t len = c[0] < 0x80   ? 1
		     : c[0] < 0xc2 ? 0
		     : c[0] < 0xe0 ? 2
		     : c[0] < 0xf0 ? 3
		     : c[0] < 0xf5 ? 4
				   : 0;

	if (len == 0 || len > room)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
	    (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return len;
}

static int scan_hex4(struct scanner *s, unsigned *out)
{
	static const char digits[] = "0123456789abcdef";
	unsigned value = 0;

	for (int i = 0; i < 4; i++, s->at++) {
		const char *digit;

		if (s->at == s->end || *s->at == '\0' ||
		    (digit = strchr(digits, *s->at | 0x20)) == NULL || *s->at < '0')
			return scan_expected(s, "a hexadecimal digit");
		value = value << 4 | (unsigned)(digit - digits);
	}
	*out = value;
	return 0;
}

static int scan_escape(struct scanner *s)
{
	unsigned code = 0, low = 0;
	int rc;

	s->at++; /* the backslash */
	if (s->at == s->end || *s->at == '\0' || strchr("\"\\/bfnrtu", *s->at) == NULL)
		return scan_expected(s, "one of \"\\/bfnrtu after a backslash");
	if (*s->at++ != 'u')
		return 0;
	rc = scan_hex4(s, &code);
	if (rc < 0)
		return rc;
	if (code == 0)
		return scan_failed(s, "\\u0000 is not allowed in a string");
	if (code >= 0xdc00 && code <= 0xdfff)
		return scan_failed(s, "half of a surrogate pair");
	if (code < 0xd800 || code > 0xdbff)
		return 0;
	if (s->end - s->at < 2 || s->at[0] != '\\' || s->at[1] != 'u')
		return scan_failed(s, "half of a surrogate pair");
	s->at += 2;
	rc = scan_hex4(s, &low);
	if (rc == 0 && (low < 0xdc00 || low > 0xdfff))
		return scan_failed(s, "half of a surrogate pair");
	return rc;
}

static int scan_string(struct scanner *s)
{
	s->at++; /* the quote */
	while (s->at < s->end && *s->at != '"') {
		size_t len;
		int rc = 0;

		if ((unsigned char)*s->at < 0x20)
			return scan_failed(
			    s, "a line break or control character inside a string");
		len = utf8_length(s);
		if (len == 0)
			return scan_failed(s, "not UTF-8");
		if (*s->at == '\\')
			rc = scan_escape(s);
		else
			s->at += len;
		if (rc < 0)
			return rc;
	}
	if (s->at == s->end)
		return scan_expected(s, "'\"' at the end of a string");
	s->at++;
	return 0;
}

static int scan_member(struct scanner *s, unsigned depth)
{
	int rc;

	if (s->at == s->end || *s->at != '"')
		return scan_expected(s, "a key in double quotes");
	rc = scan_string(s);
	if (rc < 0)
		return rc;
	skip_space(s);
	if (s->at == s->end || *s->at != ':')
		return scan_expected(s, "':'");
	s->at++;
	return scan_value(s, depth);
}

/* An object or an array: `s->at` is at the bracket that opens it. */
static int scan_container(struct scanner *s, unsigned depth)
{
	int is_object = *s->at == '{';
	char closing = is_object ? '}' : ']';
	uint32_t n = 0;
	int rc;

	if (depth > JSON_DEPTH_MAX)
		return scan_failed(s, "nested deeper than %u", JSON_DEPTH_MAX);
	s->at++;
	skip_space(s);
	if (s->at < s->end && *s->at == closing) {
		s->at++;
		return 0;
	}
	for (;;) {
		skip_space(s);
		if (is_object && ++n > JSON_KEYS_MAX)
			return scan_failed(
			    s, "an object with more than %u keys", JSON_KEYS_MAX);
		rc = is_object ? scan_member(s, depth) : scan_value(s, depth);
		if (rc < 0)
			return rc;
		skip_space(s);
		if (s->at < s->end && *s->at == closing)
			break;
		if (s->at == s->end || *s->at != ',')
			return scan_expected(s, is_object ? "',' or '}'" : "',' or ']'");
		s->at++;
	}
	s->at++;
	return 0;
}

static int scan_word(struct scanner *s)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(s->end - s->at) >= len &&
		    memcmp(s->at, words[i], len) == 0) {
			s->at += len;
			return 0;
		}
	}
	return scan_expected(s, "a value");
}

static int scan_value(struct scanner *s, unsigned depth)
{
	skip_space(s);
	if (s->at == s->end)
		return scan_expected(s, "a value");
	if (*s->at == '{' || *s->at == '[')
		return scan_container(s, depth + 1);
	if (*s->at == '"')
		return scan_string(s);
	if (*s->at == '-' || is_digit(s))
		return scan_number(s);
	return scan_word(s);
}

int json_check(const char *file, const char *text, size_t len, struct error *err)
{
	struct scanner s = {file, text, text, text + len, err};
	int rc = scan_value(&s, 0);

	if (rc < 0)
		return rc;
	skip_space(&s);
	if (s.at != s.end)
		return scan_expected(&s, "the end of the file");
	return 0;
}
