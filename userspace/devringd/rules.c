// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hardware.h"
#include "names.h"
#include "text.h"
#include "usbdev.h"

#define INTERFACES	8
#define PATTERN		96

enum quantor { ONE_OF, ALL_OF, NONE_OF, EQUALS };

/* "0e:*:*" */
struct triple {
	int part[3];			/* -1: any */
};

struct rule {
	enum verdict verdict;
	char id[10];			/* pattern of "046d:0825"; each pattern empty: any */
	char serial[PATTERN], name[PATTERN], port[PATTERN];
	int class;			/* -1: any */
	enum devring_type type;		/* 0: any, and USB devices themselves */
	enum quantor quantor;
	struct triple interfaces[INTERFACES];
	unsigned int interfaces_count;	/* 0: any */
};

struct rules {
	struct rule *items;
	unsigned int count;
	enum verdict rest;
};

static const char *const verdicts[] = { "allow", "deny", "ignore" };

const char *verdict_name(enum verdict verdict)
{
	return verdicts[verdict];
}

bool verdict_from_name(const char *name, enum verdict *verdict)
{
	for (unsigned int i = 0; i < 3; i++) {
		if (!strcmp(verdicts[i], name)) {
			*verdict = i;
			return true;
		}
	}
	return false;
}

struct rules *rules_new(void)
{
	return calloc(1, sizeof(struct rules));
}

void rules_free(struct rules *rules)
{
	if (!rules)
		return;
	free(rules->items);
	free(rules);
}

void rules_set_default(struct rules *rules, enum verdict verdict)
{
	rules->rest = verdict;
}

/* ---- Reading a rule ---- */

struct words {
	const char *at;
	char word[PATTERN];
	char *error;
	unsigned int error_size;
};

static bool __attribute__((format(printf, 2, 3)))
complain(struct words *w, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(w->error, w->error_size, format, args);
	va_end(args);
	return false;
}

/* The next word, or text in "quotes", where \" and \\ stand for themselves; false: there is none. */
static bool next(struct words *w)
{
	size_t n = 0;
	bool quoted;

	while (isspace((unsigned char)*w->at))
		w->at++;
	w->word[0] = '\0';
	if (!*w->at)
		return false;
	quoted = *w->at == '"';
	if (quoted)
		w->at++;
	while (*w->at && (quoted ? *w->at != '"' : !isspace((unsigned char)*w->at))) {
		if (quoted && *w->at == '\\' && w->at[1])
			w->at++;
		if (n + 1 < sizeof(w->word))
			w->word[n++] = *w->at;
		w->at++;
	}
	if (quoted && *w->at == '"')
		w->at++;
	w->word[n] = '\0';
	return true;
}

static bool parse_id(struct words *w, struct rule *rule)
{
	const char *colon = strchr(w->word, ':');

	if (!colon || colon == w->word || !colon[1] ||
	    strspn(w->word, "0123456789abcdefABCDEF*?:") != strlen(w->word) ||
	    strchr(colon + 1, ':') || !text_copy(rule->id, sizeof(rule->id), w->word))
		return complain(w, "id '%s' is no VENDOR:PRODUCT; write four hexadecimal digits or * for each, "
				"such as 046d:*", w->word);
	for (char *c = rule->id; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return true;
}

static bool parse_triple(struct words *w, struct rule *rule)
{
	struct triple *triple = &rule->interfaces[rule->interfaces_count];
	const char *s = w->word;

	if (rule->interfaces_count == INTERFACES)
		return complain(w, "there are more than %d interfaces; write another rule", INTERFACES);
	for (int i = 0; i < 3; i++) {
		char digits[3] = "";

		triple->part[i] = -1;
		if (*s == '*') {
			s++;
		} else if (isxdigit((unsigned char)s[0]) && isxdigit((unsigned char)s[1])) {
			memcpy(digits, s, 2);
			triple->part[i] = (int)strtoul(digits, NULL, 16);
			s += 2;
		} else {
			break;
		}
		if (i == 2 && !*s) {
			rule->interfaces_count++;
			return true;
		}
		if (*s++ != ':')
			break;
	}
	return complain(w, "interface '%s' is no CLASS:SUBCLASS:PROTOCOL; write two hexadecimal digits or * for "
			"each, such as 0e:*:*", w->word);
}

static bool parse_interfaces(struct words *w, struct rule *rule)
{
	static const char *const quantors[] = { "one-of", "all-of", "none-of", "equals" };

	for (unsigned int i = 0; i < 4; i++) {
		if (strcmp(quantors[i], w->word))
			continue;
		rule->quantor = i;
		if (!next(w))
			return complain(w, "after %s there has to be { CC:SS:PP ... }", quantors[i]);
		break;
	}
	/* Braces may touch what they hold. */
	if (w->word[0] != '{')
		return parse_triple(w, rule);
	memmove(w->word, w->word + 1, strlen(w->word));
	for (;;) {
		char *brace = strchr(w->word, '}');

		if (brace)
			*brace = '\0';
		if (*w->word && !parse_triple(w, rule))
			return false;
		if (brace)
			return rule->interfaces_count ? true :
			       complain(w, "there is no interface in { }; write some, such as 0e:*:*");
		if (!next(w))
			return complain(w, "the list of interfaces has no } at its end");
	}
}

static bool parse_type(struct words *w, struct rule *rule)
{
	static const enum devring_type types[] = {
		DEVRING_TYPE_CAMERA, DEVRING_TYPE_MICROPHONE, DEVRING_TYPE_SPEAKER,
	};

	for (unsigned int i = 0; i < 3; i++)
		if (!strcmp(type_name(types[i]), w->word))
			rule->type = types[i];
	return rule->type ? true :
	       complain(w, "type '%s' is none of camera, microphone and speaker; write one of these", w->word);
}

static bool parse_class(struct words *w, struct rule *rule)
{
	rule->class = usbdev_class_from_name(w->word);
	return rule->class >= 0 ? true :
	       complain(w, "class '%s' is not known; write audio, cdc, hid, hub, printer, storage, video, vendor or "
			"two hexadecimal digits", w->word);
}

static bool parse_pattern(struct words *w, char *to)
{
	return *w->word && text_copy(to, PATTERN, w->word) ? true :
	       complain(w, "the pattern '%s' is empty or too long; write 1 to %d characters", w->word, PATTERN - 1);
}

static bool parse_attribute(struct words *w, struct rule *rule)
{
	char key[PATTERN];

	text_copy(key, sizeof(key), w->word);
	if (!next(w))
		return complain(w, "after '%s' a value is missing", key);
	if (!strcmp(key, "id"))
		return parse_id(w, rule);
	if (!strcmp(key, "serial"))
		return parse_pattern(w, rule->serial);
	if (!strcmp(key, "name"))
		return parse_pattern(w, rule->name);
	if (!strcmp(key, "via-port"))
		return parse_pattern(w, rule->port);
	if (!strcmp(key, "class"))
		return parse_class(w, rule);
	if (!strcmp(key, "type"))
		return parse_type(w, rule);
	if (!strcmp(key, "with-interface"))
		return parse_interfaces(w, rule);
	return complain(w, "'%s' is no attribute; there are id, serial, name, via-port, class, type and with-interface",
			key);
}

bool rules_add(struct rules *rules, const char *text, char *error, unsigned int error_size)
{
	struct words w = { .at = text, .error = error, .error_size = error_size };
	struct rule rule = { .class = -1 }, *grown;

	if (!next(&w) || !verdict_from_name(w.word, &rule.verdict))
		return complain(&w, "'%s' is none of allow, deny and ignore; a rule begins with one of these", w.word);
	/* As usbguard has it, the id needs no word before it. */
	if (next(&w) && strchr(w.word, ':') && !strchr(w.word, '{')) {
		if (!parse_id(&w, &rule))
			return false;
		next(&w);
	}
	for (; *w.word; next(&w))
		if (!parse_attribute(&w, &rule))
			return false;
	grown = realloc(rules->items, (rules->count + 1) * sizeof(*grown));
	if (!grown)
		return complain(&w, "out of memory");
	rules->items = grown;
	grown[rules->count++] = rule;
	return true;
}

/* ---- Judging ---- */

static bool fits(const struct triple *t, const uint8_t *interface)
{
	for (int i = 0; i < 3; i++)
		if (t->part[i] >= 0 && t->part[i] != interface[i])
			return false;
	return true;
}

static bool has_interface(const struct usbdev *usb, const struct triple *t)
{
	for (unsigned int i = 0; i < usb->interfaces_count; i++)
		if (fits(t, usb->interfaces[i]))
			return true;
	return false;
}

static bool is_listed(const struct rule *rule, const uint8_t *interface)
{
	for (unsigned int i = 0; i < rule->interfaces_count; i++)
		if (fits(&rule->interfaces[i], interface))
			return true;
	return false;
}

static bool interfaces_fit(const struct rule *rule, const struct usbdev *usb)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < rule->interfaces_count; i++)
		found += has_interface(usb, &rule->interfaces[i]);
	switch (rule->quantor) {
	case ONE_OF:
		return found;
	case ALL_OF:
		return found == rule->interfaces_count;
	case NONE_OF:
		return !found;
	case EQUALS:
		break;
	}
	for (unsigned int i = 0; i < usb->interfaces_count; i++)
		if (!is_listed(rule, usb->interfaces[i]))
			return false;
	return found == rule->interfaces_count;
}

static bool matches(const char *pattern, const char *text)
{
	return !*pattern || !fnmatch(pattern, text, 0);
}

static bool rule_fits(const struct rule *rule, const struct usbdev *usb, const struct hardware *hw)
{
	char id[16] = "";

	if (rule->type && (!hw || hw->type != rule->type))
		return false;
	if (!matches(rule->name, usb ? usb->product : hw ? hw->label : ""))
		return false;
	if (!usb)
		return !*rule->id && !*rule->serial && !*rule->port && rule->class < 0 &&
		       !rule->interfaces_count;
	snprintf(id, sizeof(id), "%s:%s", usb->vendor_id, usb->product_id);
	return matches(rule->id, id) && matches(rule->serial, usb->serial) &&
	       matches(rule->port, usb->port) &&
	       (rule->class < 0 || usbdev_has_class(usb, (uint8_t)rule->class)) &&
	       (!rule->interfaces_count || interfaces_fit(rule, usb));
}

enum verdict rules_judge(const struct rules *rules, const struct usbdev *usb, const struct hardware *hw)
{
	for (unsigned int i = 0; i < rules->count; i++)
		if (rule_fits(&rules->items[i], usb, hw))
			return rules->items[i].verdict;
	return rules->rest;
}
