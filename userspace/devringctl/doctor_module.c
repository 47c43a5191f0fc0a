// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor: is the module built, can it be loaded, is it? */

#include <glob.h>
#include <libkmod.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "doctor.h"

#define ENROL "mokutil --import /var/lib/dkms/mok.pub, which asks for a password of your choice; then restart, " \
	      "and choose \"Enroll MOK\" before the system starts"

/* What lies in the kernel's folder for this kernel. */
struct built {
	bool found;
	bool is_signed;
	char signer[128];
};

static void read_signer(struct kmod_module *module, struct built *built)
{
	struct kmod_list *list = NULL, *item;

	if (kmod_module_get_info(module, &list) < 0)
		return;
	kmod_list_foreach(item, list) {
		if (strcmp(kmod_module_info_get_key(item), "signer"))
			continue;
		built->is_signed = true;
		snprintf(built->signer, sizeof(built->signer), "%s", kmod_module_info_get_value(item));
	}
	kmod_module_info_free_list(list);
}

static struct built find_built(void)
{
	struct kmod_ctx *context = kmod_new(NULL, NULL);
	struct built built = { 0 };
	struct kmod_list *list = NULL;

	if (!context)
		return built;
	if (!kmod_module_new_from_lookup(context, "devring", &list) && list) {
		struct kmod_module *module = kmod_module_get_module(list);

		built.found = kmod_module_get_path(module);
		if (built.found)
			read_signer(module, &built);
		kmod_module_unref(module);
	}
	kmod_module_unref_list(list);
	kmod_unref(context);
	return built;
}

/* Does a file of one line have @text in it? */
static bool file_says(const char *path, const char *text)
{
	FILE *file = fopen(path, "re");
	char line[256] = "";
	bool found;

	if (!file)
		return false;
	found = fgets(line, sizeof(line), file) && strstr(line, text);
	fclose(file);
	return found;
}

static bool locked_down(void)
{
	return file_says("/sys/kernel/security/lockdown", "[integrity]") ||
	       file_says("/sys/kernel/security/lockdown", "[confidentiality]");
}

/* The version of the source that is there for DKMS, the last if there are several; false: there is none. */
static bool find_source(char *version, size_t size)
{
	static const char before[] = "/usr/src/devring-", behind[] = "/dkms.conf";
	glob_t found;
	bool any = !glob("/usr/src/devring-*/dkms.conf", 0, NULL, &found);

	if (any) {
		const char *path = found.gl_pathv[found.gl_pathc - 1] + strlen(before);

		snprintf(version, size, "%.*s", (int)(strlen(path) - strlen(behind)), path);
	}
	globfree(&found);
	return any;
}

static void not_built(struct doctor *doctor, const char *release)
{
	unsigned int major = 0, minor = 0;
	char path[256], remedy[512], version[64];

	snprintf(path, sizeof(path), "/lib/modules/%s/build/include", release);
	if (sscanf(release, "%u.%u", &major, &minor) == 2 && (major < 5 || (major == 5 && minor < 10))) {
		doctor_problem(doctor, "kernel-too-old", "start a newer kernel", "The kernel that runs (%s) is too "
			       "old: devring needs 5.10 or newer.", release);
	} else if (access(path, F_OK)) {
		snprintf(remedy, sizeof(remedy), "apt-get install linux-headers-%s; DKMS builds the module along "
			 "with that", release);
		doctor_problem(doctor, "module-no-headers", remedy, "The module is not built for the kernel that runs "
			       "(%s), whose headers are not installed.", release);
	} else if (find_source(version, sizeof(version))) {
		snprintf(remedy, sizeof(remedy), "dkms install devring/%s -k %s; if that fails, the end of "
			 "/var/lib/dkms/devring/%s/build/make.log tells why", version, release, version);
		doctor_problem(doctor, "module-not-built", remedy, "The module is not built for the kernel that runs "
			       "(%s).", release);
	} else {
		doctor_problem(doctor, "module-not-installed", "apt install devring-dkms, or see docs/install.md",
			       "The module's source is not installed, so it was not built for the kernel that runs "
			       "(%s).", release);
	}
}

static void not_loaded(struct doctor *doctor, const struct built *built)
{
	bool enforced = file_says("/sys/module/module/parameters/sig_enforce", "Y");
	const char *why = enforced ? "which enforces signatures" : "locked down, as with Secure Boot";

	if ((enforced || locked_down()) && built->is_signed)
		doctor_problem(doctor, "module-signature", "modprobe devring; if that is refused: " ENROL,
			       "The module is not loaded, and this kernel (%s) takes it only if the firmware was told "
			       "of the key that signed it, \"%s\".", why, built->signer);
	else if (enforced || locked_down())
		doctor_problem(doctor, "module-signature", "let DKMS build it again, which signs what it builds if "
			       "openssl is installed: apt-get install openssl && dpkg-reconfigure devring-dkms; "
			       "then: " ENROL, "The module has no signature, and this kernel (%s) takes none without.",
			       why);
	else
		doctor_problem(doctor, "module-not-loaded", "modprobe devring", "The module is built, but not loaded.");
}

bool doctor_module(struct doctor *doctor)
{
	struct utsname name;
	struct built built;

	uname(&name);
	if (!access("/sys/module/devring", F_OK)) {
		doctor_fine(doctor, "module", "The module is loaded.");
		return true;
	}
	built = find_built();
	if (built.found)
		not_loaded(doctor, &built);
	else
		not_built(doctor, name.release);
	return false;
}
